// C++ regime: may throw, never calls PostgreSQL
// Stands in for libFuzzer where clang is not there: runs a harness over random inputs, or over files that are given.
// Blind, but better than nothing. The arguments of libFuzzer that ctest uses: -runs= -seed= -max_len=
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace {

void run(const std::string &input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t *>(input.data()), input.size());
}

// Mostly what the kernels look for, in runs; else any byte.
std::string random_input(std::mt19937 &random, std::size_t most) {
    static const std::string pieces[] = {"WVWZZZ1JZ3W386752",
                                         "wob-vw 1",
                                         "\u00e4",
                                         "\u00dc",
                                         "\xc3",
                                         "\n",
                                         "0",
                                         "-",
                                         "9999",
                                         ".",
                                         "new",
                                         "demo",
                                         "IOQ",
                                         "\u20ac"};
    std::string input;
    for (std::size_t size = random() % (most + 1); input.size() < size;) {
        if (random() % 3 == 0)
            input += static_cast<char>(random());
        else
            input += pieces[random() % std::size(pieces)];
    }
    return input.substr(0, most);
}

std::size_t option(const std::string &argument, const std::string &name, std::size_t otherwise) {
    return argument.compare(0, name.size(), name) == 0 ? std::stoul(argument.substr(name.size())) : otherwise;
}

} // namespace

int main(int count, char **arguments) {
    std::size_t runs = 0, seed = 1, most = 128;
    for (int i = 1; i < count; i++) {
        const std::string argument = arguments[i];
        runs = option(argument, "-runs=", runs);
        seed = option(argument, "-seed=", seed);
        most = option(argument, "-max_len=", most);
        if (argument[0] == '-')
            continue;
        std::ifstream file(argument, std::ios::binary);
        run({std::istreambuf_iterator<char>(file), {}});
    }
    std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
    for (; runs > 0; runs--)
        run(random_input(random, most));
    return 0;
}
