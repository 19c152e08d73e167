// dlib's deep learning on the CPU: dlib_peer ROW [--rows N] [--mode train|predict|one].
//
// The same algorithm as the others: mini-batches, Adam, softmax with cross-entropy or one logit
// with its own. Gradients and updates are asked for directly, on tensors: less work than its
// dnn_trainer, which copies every row and hands it to a thread. Products go to OpenBLAS; W1 is
// trained on features kept by hand.
#include "turns.h"

#include <algorithm>
#include <dlib/dnn.h>
#include <memory>
#include <numeric>
#include <vector>

using rows_in = dlib::input<dlib::matrix<float>>;
template <int units, typename below> using hidden = dlib::relu<dlib::fc<units, below>>;
template <int units> using probe = dlib::fc<units, rows_in>;
using wide = dlib::fc<10, hidden<512, hidden<512, rows_in>>>;
using wider = dlib::fc<1000, hidden<4096, hidden<4096, rows_in>>>;
using head = dlib::fc<1, hidden<128, rows_in>>;
using tiny = dlib::fc<1, hidden<16, rows_in>>;

// W1: what the frozen layers give, made up; nothing else of them is left in an epoch.
const size_t FEATURES = 64;

struct table {
    size_t in;
    std::vector<float> x;
    std::vector<size_t> label;
};

static table rows_of(const peer_options &o)
{
    table t;
    t.in = o.row->add ? FEATURES : o.row->in;
    t.x.resize(o.rows * t.in);
    for (float &x : t.x)
        x = peer_number();
    for (size_t r = 0; r < o.rows; r++)
        t.label.push_back(peer_label(&t.x[r * t.in], t.in, o.row->classes));
    return t;
}

static void fill(dlib::resizable_tensor &batch, const table &t, const size_t *rows, size_t n)
{
    batch.set_size((long)n, 1, (long)t.in, 1);
    float *to = batch.host_write_only();
    for (size_t r = 0; r < n; r++)
        std::copy_n(&t.x[rows[r] * t.in], t.in, to + r * t.in);
}

// A net takes tensors only after it has made one.
template <typename layers> static void introduce(layers &net, const table &t)
{
    const dlib::matrix<float> row = dlib::zeros_matrix<float>((long)t.in, 1);
    dlib::resizable_tensor x;
    net.to_tensor(&row, &row + 1, x);
}

struct worker {
    virtual ~worker()
    {
    }
    virtual double epoch() = 0;
};

template <typename loss, typename label_type> struct trainer : worker {
    trainer(const peer_options &o, table given)
        : batch(o.row->batch), binary(o.row->classes == 1), t(std::move(given)),
          order(t.label.size()),
          solvers(loss::num_computational_layers, dlib::adam(0, 0.9f, 0.999f))
    {
        std::iota(order.begin(), order.end(), 0);
        introduce(net, t);
    }

    double epoch() override
    {
        double begun = peer_now();
        for (size_t i = order.size(); i > 1; i--)
            std::swap(order[i - 1], order[peer_random() % i]);
        for (size_t at = 0; at < order.size(); at += batch)
            step(&order[at], std::min(batch, order.size() - at));
        return peer_now() - begun;
    }

  private:
    void step(const size_t *rows, size_t n)
    {
        fill(x, t, rows, n);
        y.resize(n);
        for (size_t r = 0; r < n; r++)
            y[r] = label_type(binary && t.label[rows[r]] == 0 ? -1 : double(t.label[rows[r]]));
        net.compute_parameter_gradients(x, y.begin());
        net.update_parameters(solvers, 1e-3);
    }

    size_t batch;
    bool binary; // labels are -1 and 1
    table t;
    std::vector<size_t> order;
    std::vector<dlib::adam> solvers;
    loss net;
    dlib::resizable_tensor x;
    std::vector<label_type> y;
};

template <typename layers> using many = trainer<dlib::loss_multiclass_log<layers>, unsigned long>;
template <typename layers> using yes_no = trainer<dlib::loss_binary_log<layers>, float>;

// All rows in blocks, or the fastest of many single rows.
struct predictor : worker {
    predictor(const peer_options &o, const table &t) : mode(o.mode)
    {
        std::vector<size_t> rows(t.label.size());
        std::iota(rows.begin(), rows.end(), 0);
        introduce(net, t);
        const size_t block = mode == ONE ? 1 : 1000, n = mode == ONE ? 1 : rows.size();
        for (size_t at = 0; at < n; at += block) {
            blocks.emplace_back(new dlib::resizable_tensor);
            fill(*blocks.back(), t, &rows[at], std::min(block, n - at));
        }
    }

    double epoch() override
    {
        double best = 1e9;
        for (int i = 0; i < (mode == ONE ? ONE_ROW_CALLS : 1); i++) {
            double begun = peer_now();
            for (const auto &block : blocks)
                net.forward(*block).host();
            best = std::min(best, peer_now() - begun);
        }
        return best;
    }

  private:
    int mode;
    std::vector<std::unique_ptr<dlib::resizable_tensor>> blocks;
    dlib::softmax<wide> net;
};

template <typename kind> static worker *make(const peer_options &o)
{
    return new kind(o, rows_of(o));
}

static const struct {
    const char *name;
    worker *(*make)(const peer_options &o);
} kinds[] = {
    {"W1", make<yes_no<head>>},      {"W2", make<many<wide>>},   {"W3", make<many<wider>>},
    {"W4", make<many<probe<1000>>>}, {"W5", make<yes_no<tiny>>}, {"W6", make<predictor>},
};

static double epoch(void *context)
{
    return static_cast<worker *>(context)->epoch();
}

int main(int argc, char **argv)
{
    peer_options o;
    if (peer_arguments(argc, argv, &o))
        for (const auto &kind : kinds)
            if (strcmp(kind.name, o.row->name) == 0) {
                std::unique_ptr<worker> w(kind.make(o));
                peer_turns(o.mode, epoch, w.get());
                return 0;
            }
    fprintf(stderr, "dlib_peer: takes a row's name first\n");
    return 2;
}
