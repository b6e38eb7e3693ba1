// C++ regime: may throw, never calls PostgreSQL
#include "plan/costs.hpp"

#include <gtest/gtest.h>

namespace {

using etl::plan::expected_seconds;

TEST(costs, grow_with_rows) {
    for (const char *kind : {"fold", "load", "index", "check"}) {
        EXPECT_EQ(expected_seconds(kind, 0), 0) << kind;
        EXPECT_GT(expected_seconds(kind, 1000), 0) << kind;
        EXPECT_GE(expected_seconds(kind, 4e6), 4 * expected_seconds(kind, 1e6)) << kind;
        EXPECT_LT(expected_seconds(kind, 4e6), 5 * expected_seconds(kind, 1e6)) << kind;
    }
}

TEST(costs, of_samples_and_of_publishing_do_not) {
    EXPECT_EQ(expected_seconds("analyze", 1e6), expected_seconds("analyze", 1e9));
    EXPECT_LT(expected_seconds("analyze", 100), expected_seconds("analyze", 1e6));
    EXPECT_EQ(expected_seconds("publish", 1), expected_seconds("publish", 1e9));
}

TEST(costs, have_no_answer_for_what_is_not_known) {
    EXPECT_EQ(expected_seconds("verify", 1e6), 0);
    EXPECT_EQ(expected_seconds("load", -1), 0);
}

// The order of magnitude: a worker loads between 20 thousand and two million rows a second.
TEST(costs, are_sane) {
    EXPECT_GT(expected_seconds("load", 1e6), 0.5);
    EXPECT_LT(expected_seconds("load", 1e6), 50);
}

} // namespace
