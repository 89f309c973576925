/* The time that groups of processes have had on the processor. */
#ifndef PROCESSOR_H
#define PROCESSOR_H

/* Microseconds of the group, user and system; those of ended threads are in it. */
double processor_us(int group);

/* Microseconds that a core was not idle, whoever used it. Work of the network's soft interrupts is in it: the kernel
 * delivers a packet of the loopback device there, and may charge it to nobody. */
double core_busy_us(int core);

#endif
