/* Ctrl-C while training: finish the batch, write the best, then die by the signal. */
#ifndef INARCH_CLI_SIGNALS_H
#define INARCH_CLI_SIGNALS_H

/* From now on the first SIGINT, SIGTERM or SIGHUP is remembered, and the next one kills as ever.
 * Signals that are ignored (nohup) stay so. A reader of our output that goes away no longer kills.
 */
void signals_hold(void);
/* The signal that came since, or 0. */
int signals_caught(void);
/* "SIGINT", ... */
const char *signals_name(int sig);
/* Back to what it was before. Dies here by the signal that came, if one did. */
void signals_release(void);
/* Dies as a program does whose reader went away. */
void signals_die_of_pipe(void);

#endif
