/* The modes fanout and command: what is sent, what is counted, and the result. */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include "connection.h"

/* All connections: followers (or commanders), then publishers, then followers that do not keep up. */
extern connection *all;
extern int total;

void traffic_received(connection *c, const uint8_t *text, size_t size, uint64_t time_ns);

/* Sends, counts and prints; the exit status. */
int traffic_run(double connected_s);

#endif
