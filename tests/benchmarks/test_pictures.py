"""What the generator is told, and what the page shows."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from benchmarks.chart import Bar, Group, svg
from benchmarks.comparison import sections
from benchmarks.contenders import LIMIT, NODE_GROUP, OURS
from benchmarks.flame import svg as flame_graph
from benchmarks.flame import tree_of
from benchmarks.generator import Sample
from benchmarks.rounds import Samples
from benchmarks.scenarios import AWARE_1, DURABLE_FAN, SCENARIOS, command_message, flags_of
from benchmarks.targets import Aim, aims_section

STREAM = "project/00000000-0000-7000-8000-000000000001"


def test_messages_are_socket_io_packets_with_the_placeholders_of_the_generator() -> None:
    message = command_message(STREAM)
    assert message.startswith("42$A[")
    event, payload = json.loads(message[len("42$A") :])
    assert (event, payload["opId"], payload["data"]["taskId"]) == ("command", "$U", "$K")
    for scenario in SCENARIOS:
        flags = flags_of(scenario, STREAM, "7.1")
        assert json.loads(str(flags["join"])) == ["join", {"stream": STREAM, "cursor": "7.1"}]


def test_a_chart_is_well_formed_and_its_longest_bar_is_the_largest_figure() -> None:
    groups = [Group("a < b", [Bar("ours & co", 10, "ours"), Bar("peer", 5)]), Group("nothing", [])]
    root = ElementTree.fromstring(svg("title", groups))
    widths = [float(bar.attrib["width"]) for bar in root.iter("{http://www.w3.org/2000/svg}rect")][1:]
    assert widths[0] == 2 * widths[1]


def test_a_flame_graph_shows_callers_below_callees_and_no_path_of_the_machine() -> None:
    stacks = [
        "main (/home/ada/hive/server/app.py:10);decide (/home/ada/hive/actors/project/tasks.py:7) 3",
        "main (/home/ada/hive/server/app.py:12);dumps (/opt/x/site-packages/orjson/a.py:1) 1",
        "main (/home/ada/hive/server/app.py:12);run (/usr/lib/python3.11/asyncio/events.py:84) 1",
        "a line that says nothing",
    ]
    tree = tree_of(stacks)
    main = tree.callees["main (server/app.py)"]
    assert (tree.samples, main.samples, main.is_ours) == (5, 5, True)
    assert {label: one.samples for label, one in main.callees.items()} == {
        "decide (actors/project/tasks.py)": 3,
        "dumps (orjson/a.py)": 1,
        "run (asyncio/events.py)": 1,
    }
    text = flame_graph("one < two", tree)
    rects = list(ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}rect"))[1:]
    tops = [int(rect.attrib["y"]) for rect in rects]
    assert tops[0] > tops[1] > tops[2] == tops[3] == tops[4]
    assert not [path for path in ("/home/ada", "/usr/lib", "/opt/x") if path in text]


def test_tables_show_medians_ratios_and_leave_out_what_was_not_measured() -> None:
    samples = Samples()
    for number, per_s in enumerate([100.0, 300.0, 200.0]):
        samples.add("aware1", "ours", number, Sample(per_s, 1000, 2000, 3000, {"server": 9.0, "core": 12.0}))
        samples.add("aware1", "limit", number, Sample(2 * per_s, 1000, 2000, 3000, {"server": 8.0}))
    (table,) = sections(samples, [OURS, NODE_GROUP, LIMIT], [AWARE_1, DURABLE_FAN])
    assert [row[0] for row in table.rows] == ["PantheraHive", "C, a send per event"]
    assert table.rows[0] == ["PantheraHive", "200", "1.00 ms", "2.00 ms", "3.00 ms", "9.0 µs", "12.0 µs", "", "0.50×"]
    assert table.rows[1][-2:] == ["0.50×", "1.00×"]
    assert all(len(row) == len(table.head) for row in table.rows)


def test_the_table_of_aims_counts_what_was_reached() -> None:
    section = aims_section([Aim("a", 1, 2), Aim("b", 1, 0.5), Aim("c", 1, None)])
    assert section.notes[0].startswith("1 of 2 measured reached, 1 of 3 not measured.")
    assert section.markdown().count("\n| ") == 5
