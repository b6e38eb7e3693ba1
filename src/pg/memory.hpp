// Boundary: memory contexts as C++ sees them: a scoped switch, an owned context, an allocator for Boost.Container.
#pragma once

#include "pg/postgres.hpp"

#include <boost/container/string.hpp>
#include <boost/container/vector.hpp>

namespace etl::pg {

// Makes `context` current until the end of the scope. Switching cannot ereport.
class memory_switch {
public:
    explicit memory_switch(MemoryContext context) noexcept : before_(::MemoryContextSwitchTo(context)) {}
    ~memory_switch() { ::MemoryContextSwitchTo(before_); }
    memory_switch(const memory_switch &) = delete;
    memory_switch &operator=(const memory_switch &) = delete;

private:
    MemoryContext before_;
};

// A context of our own, deleted at the end of the scope; deleting a context without children's callbacks cannot ereport.
class owned_context {
public:
    explicit owned_context(const char *name, MemoryContext parent = CurrentMemoryContext);
    ~owned_context() { ::MemoryContextDelete(context_); }
    owned_context(const owned_context &) = delete;
    owned_context &operator=(const owned_context &) = delete;

    MemoryContext get() const noexcept { return context_; }
    void reset() noexcept { ::MemoryContextReset(context_); }

private:
    MemoryContext context_;
};

// Allocates from the context that was current when the allocator (so: its container) was made.
// No longjmp can leave it: sizes are checked first and the allocation is asked for without an error, so a failure is
// std::bad_alloc and no guard is needed. Memory is given back with its context, never chunk by chunk: a container may
// outlive the reset of its context as long as nobody looks into it.
template <class T> class allocator {
public:
    using value_type = T;

    allocator() noexcept : context_(CurrentMemoryContext) {}
    explicit allocator(MemoryContext context) noexcept : context_(context) {}
    template <class U> allocator(const allocator<U> &other) noexcept : context_(other.context()) {}

    T *allocate(std::size_t count) {
        if (count > MaxAllocHugeSize / sizeof(T))
            throw std::bad_alloc();
        void *memory = ::MemoryContextAllocExtended(context_, count * sizeof(T), MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
        if (memory == nullptr)
            throw std::bad_alloc();
        return static_cast<T *>(memory);
    }
    void deallocate(T *, std::size_t) noexcept {}

    MemoryContext context() const noexcept { return context_; }
    template <class U> bool operator==(const allocator<U> &other) const noexcept {
        return context_ == other.context();
    }
    template <class U> bool operator!=(const allocator<U> &other) const noexcept { return !(*this == other); }

private:
    MemoryContext context_;
};

// Asks the system for large pages under memory that is read at random; a wish, nothing depends on it.
void prefer_huge_pages(void *memory, std::size_t bytes) noexcept;

using string = boost::container::basic_string<char, std::char_traits<char>, allocator<char>>;
template <class T> using vector = boost::container::vector<T, allocator<T>>;

inline std::string_view view(const string &text) noexcept {
    return {text.data(), text.size()};
}

} // namespace etl::pg
