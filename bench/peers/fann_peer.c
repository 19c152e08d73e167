/* FANN, in float32: fann_peer ROW [--rows N] [--mode train|predict|one] [--training rprop].
 *
 * FANN has neither mini-batches nor Adam, ReLU or softmax. It trains by plain SGD, a step for every
 * row, or by RPROP, one step an epoch; hidden units are its linear piece, which costs what a ReLU
 * does, and the loss is the squared error. So its epoch is another algorithm's, shown beside the
 * table and not counted. It uses one thread. Predictions are the same work, less the softmax. */
#include "turns.h"

#include <floatfann.h>

typedef struct context {
    struct fann *net;
    struct fann_train_data *data;
} context;

static struct fann *network(const work *w)
{
    unsigned widths[16] = {(unsigned)w->in}, n = 1;
    for (const char *at = w->arch; (at = strstr(at, "dense:")); at += 6)
        widths[n++] = (unsigned)atol(at + 6);
    struct fann *net = fann_create_standard_array(n, widths);
    if (!net)
        return NULL;
    fann_set_activation_function_hidden(net, FANN_LINEAR_PIECE);
    fann_set_activation_function_output(net, w->classes > 1 ? FANN_LINEAR : FANN_SIGMOID);
    fann_set_train_error_function(net, FANN_ERRORFUNC_LINEAR);
    fann_set_learning_rate(net, 0.01f);
    fann_randomize_weights(net, -0.05f, 0.05f);
    return net;
}

static struct fann_train_data *rows_of(const peer_options *o)
{
    unsigned in = (unsigned)o->row->in, out = (unsigned)o->row->classes;
    struct fann_train_data *data = fann_create_train((unsigned)o->rows, in, out);
    if (!data)
        return NULL;
    for (size_t r = 0; r < o->rows; r++) {
        for (size_t i = 0; i < in; i++)
            data->input[r][i] = peer_number();
        size_t label = peer_label(data->input[r], in, out);
        for (size_t k = 0; k < out; k++)
            data->output[r][k] = out > 1 ? (float)(k == label) : (float)label;
    }
    return data;
}

static double train(void *argument)
{
    context *c = argument;
    double begun = peer_now();
    fann_shuffle_train_data(c->data);
    fann_train_epoch(c->net, c->data);
    return peer_now() - begun;
}

static double predict(void *argument)
{
    context *c = argument;
    double begun = peer_now();
    for (unsigned r = 0; r < c->data->num_data; r++)
        fann_run(c->net, c->data->input[r]);
    return peer_now() - begun;
}

static double one(void *argument)
{
    context *c = argument;
    double best = 1e9;
    for (unsigned i = 0; i < ONE_ROW_CALLS; i++) {
        double begun = peer_now();
        fann_run(c->net, c->data->input[i % c->data->num_data]);
        double took = peer_now() - begun;
        best = took < best ? took : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    static double (*const units[])(void *) = {train, predict, one};
    enum fann_train_enum training = FANN_TRAIN_INCREMENTAL;
    peer_options o;
    context c = {NULL, NULL};
    if (!peer_arguments(argc, argv, &o) || o.row->add) {
        fprintf(stderr, "fann_peer: takes a row without frozen layers\n");
        return 2;
    }
    for (int i = 2; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--training") == 0 && strcmp(argv[i + 1], "rprop") == 0)
            training = FANN_TRAIN_RPROP;
    c.net = network(o.row);
    c.data = rows_of(&o);
    if (!c.net || !c.data) {
        fprintf(stderr, "fann_peer: out of memory\n");
        return 1;
    }
    fann_set_training_algorithm(c.net, training);
    peer_turns(o.mode, units[o.mode], &c);
    fann_destroy_train(c.data);
    fann_destroy(c.net);
    return 0;
}
