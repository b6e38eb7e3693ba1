// Boundary: the two kinds of error that C++ code throws, and what becomes of them.
#pragma once

#include "pg/memory.hpp"

namespace etl {

// An error that our own C++ code raises; it reaches the user with all its fields.
// sqlstate: five characters ("42704"); message in PostgreSQL's style: lower case, no full stop.
class error : public std::exception {
public:
    error(const char *sqlstate, std::string_view message, std::string_view detail = {}, std::string_view hint = {});

    const char *what() const noexcept override { return message_.c_str(); }
    int sqlstate() const noexcept { return sqlstate_; }
    const pg::string &message() const noexcept { return message_; }
    const pg::string &detail() const noexcept { return detail_; }
    const pg::string &hint() const noexcept { return hint_; }

private:
    int sqlstate_;
    pg::string message_;
    pg::string detail_;
    pg::string hint_;
};

namespace pg {

// An ereport(ERROR) caught by pg::call, whole: SQLSTATE, DETAIL, HINT and CONTEXT survive.
// The ErrorData lives in the transaction's context and goes with it.
class error : public std::exception {
public:
    explicit error(ErrorData *data) noexcept : data_(data) {}
    const char *what() const noexcept override { return data_->message ? data_->message : "error without message"; }
    ErrorData *data() const noexcept { return data_; }

private:
    ErrorData *data_;
};

// What a task or a run keeps of an error, whichever kind it was.
struct error_report {
    char sqlstate[6];
    string message;
    string detail;
};

// Describes the exception that is being handled; to be called inside a catch block of a worker's top loop.
error_report describe_current_exception();

// printf for messages, in the current context.
string format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

} // namespace pg
} // namespace etl
