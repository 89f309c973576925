#define _GNU_SOURCE
#include "processor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

static double process_us(long pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0; /* a backend that has ended meanwhile */
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    char *after_name = strrchr(text, ')');
    unsigned long user, system;
    if (!after_name || sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        die(1, "cannot read %s", path);
    return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

double core_busy_us(int core)
{
    char name[16], line[512];
    double busy = 0;
    snprintf(name, sizeof name, "cpu%d ", core);
    FILE *file = fopen("/proc/stat", "r");
    if (!file)
        die(1, "cannot read /proc/stat");
    while (fgets(line, sizeof line, file)) {
        unsigned long user, nice, system, irq, soft_irq;
        if (strncmp(line, name, strlen(name)))
            continue;
        if (sscanf(line + strlen(name), "%lu %lu %lu %*u %*u %lu %lu", &user, &nice, &system, &irq, &soft_irq) == 5)
            busy = (double)(user + nice + system + irq + soft_irq) * 1e6 / (double)sysconf(_SC_CLK_TCK);
    }
    fclose(file);
    return busy;
}

double processor_us(int group)
{
    double sum = 0;
    for (const char *at = strchr(opt.cpu[group], '='); at && *at; at = strchr(at, ','))
        sum += process_us(strtol(++at, NULL, 10));
    return sum;
}
