// The seed's loop from C++: handles in unique_ptr, errors as exceptions.
//
//     seed_loop_cpp MODEL.h5 TRAIN.npz TUNED.h5
#include <inarch.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

struct Free {
    void operator()(inarch_model *m) const { inarch_free(m); }
    void operator()(inarch_data *d) const { inarch_data_free(d); }
    void operator()(inarch_history *h) const { inarch_history_free(h); }
};
template <class T> using Handle = std::unique_ptr<T, Free>;

inarch_error err;

void check(inarch_status status)
{
    if (status != INARCH_OK)
        throw std::runtime_error(std::string(err.message) + " (" + err.hint + ")");
}

// Calls make(&raw) and owns what it made.
template <class T, class Make> Handle<T> own(Make make)
{
    T *raw = nullptr;
    check(make(&raw));
    return Handle<T>(raw);
}

} // namespace

int main(int argc, char **argv)
try {
    if (argc != 4) {
        std::cerr << "usage: " << argv[0] << " MODEL.h5 TRAIN.npz TUNED.h5\n";
        return 2;
    }
    auto m = own<inarch_model>([&](auto **out) { return inarch_load(argv[1], nullptr, out, &err); });
    check(inarch_freeze(m.get(), "*", &err));
    check(inarch_add(m.get(), "dense:128:relu", &err));
    check(inarch_add(m.get(), "dense:1:sigmoid", &err));
    auto train = own<inarch_data>(
        [&](auto **out) { return inarch_data_open(argv[2], nullptr, m.get(), out, &err); });
    inarch_fit_options fit = INARCH_FIT_OPTIONS;
    fit.loss = "binary_crossentropy";
    fit.epochs = 10;
    auto history = own<inarch_history>(
        [&](auto **out) { return inarch_fit(m.get(), train.get(), &fit, out, &err); });
    check(inarch_save(m.get(), argv[3], nullptr, &err));
    std::cout << "loss " << inarch_history_get(history.get(), -1, "loss") << '\n';
} catch (const std::exception &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
