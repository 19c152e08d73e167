/* The only global state of the program: which signal came. Handlers do nothing but note it and make
 * way for the next one. */
#include "signals.h"

#include <signal.h>
#include <stddef.h>

static const struct {
    int sig;
    const char *name;
} held[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};
#define HELD (sizeof held / sizeof held[0])

static volatile sig_atomic_t caught;
static int holding;
static struct sigaction before[HELD], pipe_before;

static void note(int sig)
{
    caught = sig;
    for (size_t i = 0; i < HELD; i++)
        if (before[i].sa_handler != SIG_IGN)
            signal(held[i].sig, SIG_DFL); /* the second one dies at once */
}

void signals_hold(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, act = {.sa_handler = note};
    act.sa_flags = SA_RESTART;
    for (size_t i = 0; i < HELD; i++)
        sigaddset(&act.sa_mask, held[i].sig);
    for (size_t i = 0; i < HELD; i++) {
        sigaction(held[i].sig, NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(held[i].sig, &act, NULL);
    }
    sigaction(SIGPIPE, &ignore, &pipe_before);
    holding = 1;
}

int signals_caught(void)
{
    return caught;
}

const char *signals_name(int sig)
{
    for (size_t i = 0; i < HELD; i++)
        if (held[i].sig == sig)
            return held[i].name;
    return "a signal";
}

void signals_release(void)
{
    if (!holding)
        return;
    holding = 0;
    for (size_t i = 0; i < HELD; i++)
        sigaction(held[i].sig, &before[i], NULL);
    if (caught)
        raise(caught);
    sigaction(SIGPIPE, &pipe_before, NULL);
}

void signals_die_of_pipe(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}
