// C++ regime: a worker's life: log in, take a slot, do tasks until none is left, hand on.
#include "pg/clock.hpp"
#include "pg/extension.hpp"
#include "pg/function.hpp"
#include "pg/identity.hpp"
#include "pg/lock.hpp"
#include "pg/message.hpp"
#include "pg/transaction.hpp"
#include "run/company.hpp"
#include "run/launcher.hpp"
#include "run/precedence.hpp"
#include "run/work.hpp"
#include "settings.hpp"

namespace etl::run {

namespace {

// A session lock of the lowest free number, held until the end of the scope.
class slot {
public:
    slot(pg::lock_kind kind, std::uint32_t run) noexcept : key_{kind, run, 0} {}
    ~slot() {
        leave();
    }
    slot(const slot &) = delete;
    slot &operator=(const slot &) = delete;

    bool take(int limit) {
        for (key_.number = held_ ? key_.number : 0; !held_ && key_.number < static_cast<std::uint32_t>(limit);)
            if (!(held_ = pg::try_lock(key_)))
                key_.number++;
        return held_;
    }
    void leave() noexcept {
        if (held_)
            pg::unlock(key_);
        held_ = false;
    }

private:
    pg::lock_key key_;
    bool held_ = false;
};

// Writes down what must not be lost because the server is short of something for a moment.
template <class F> void insist(std::int64_t run_id, const char *activity, F &&f) {
    constexpr int tries = 5;
    for (int i = 0; i < tries; i++) {
        const std::optional<pg::error_report> failed = pg::in_transaction_despite_cancel(activity, f);
        if (!failed)
            return;
        pg::log(pg::view(pg::format("run " INT64_FORMAT ": %s: %s: %s", run_id, activity, failed->sqlstate,
                                    failed->message.c_str())));
        if (!may_pass(failed->sqlstate))
            return;
        if (i + 1 < tries)
            (void)pg::outside_transaction([i] { pg::sleep(200LL << i); });
    }
}

void do_task(const assignment &duty, const task &todo, company &with) {
    const pg::string title = task_title(duty.run, todo.kind, todo.portal, todo.range);
    pg::report_application_name(pg::format("pg_etl %s", title.c_str()).c_str());
    const std::optional<pg::error_report> report =
        todo.phase == plan::phase::publish  ? pg::outside_transaction([&] { perform_publish(duty, todo, with); })
        : todo.phase == plan::phase::vacuum ? pg::outside_transaction([&] { perform_vacuum(duty, todo); })
                                            : pg::in_transaction(title.c_str(), [&] { perform(duty, todo); });
    if (!report)
        return;
    pg::log(pg::view(pg::format("run " INT64_FORMAT ", task %d (%s): %s: %s", duty.run.run_id, todo.task_no,
                                title.c_str(), report->sqlstate, report->message.c_str())));
    insist(duty.run.run_id, "recording an error", [&] {
        pg::lock_extension();
        mark_error(duty.run, todo, *report);
    });
}

// What a worker remembers from one look for work to the next.
struct search {
    std::int64_t run_id;
    bool alone = false;      // whether the next task must be the only one
    bool may_return = false; // whether it was left for another run, and not because nothing is to be done there
    int failures = 0;        // looks that failed, in a row
    std::int64_t rest = 0;   // ms until the next look
    std::int64_t called = 0; // when this worker called for help, in microseconds
};

constexpr int failures_at_most = 10;
constexpr std::int64_t help_every = 200; // ms, for helpers take a moment to show

// A look for work failed. Returns false where no further look can help: the run then says why.
bool look_again(search &now, const pg::error_report &failed) {
    now.failures++;
    if (may_pass(failed.sqlstate) && now.failures < failures_at_most) {
        now.rest = 200;
        return true;
    }
    pg::log(pg::view(pg::format("run " INT64_FORMAT ": looking for work: %s: %s", now.run_id, failed.sqlstate,
                                failed.message.c_str())));
    insist(now.run_id, "recording an error", [&] {
        pg::lock_extension();
        fail(now.run_id, failed);
    });
    return false;
}

// One look for work, and the work. Returns false when this worker has nothing more to do for the run.
bool step(search &now, way &to_sync) {
    now.rest = 0;
    // It is waited for before a task is claimed: who merely waits must not come under suspicion too.
    company with(now.run_id, now.alone);
    switch (with.join()) {
    case company::entry::stopped:
        return false;
    case company::entry::disturbed:
        now.rest = 20;
        return true; // what has become of the run?
    case company::entry::joined:
        break;
    }
    std::optional<assignment> duty;
    claim_result found;
    const std::optional<pg::error_report> failed = pg::in_transaction("looking for work", [&] {
        if (!pg::extension_exists())
            return;
        pg::lock_extension();
        const std::optional<record> run = find(now.run_id);
        if (!run || !run->of_this_cluster)
            return;
        now.may_return = to_sync.begin(*run);
        if (now.may_return)
            return;
        found = claim(*run, now.alone);
        if (found.what == verdict::claimed) {
            duty.emplace(read_assignment(*run));
            // Whoever opens up more work than it can do alone calls for help.
            if (found.others > 0 && pg::microseconds_now() - now.called >= 1000 * help_every) {
                now.called = pg::microseconds_now();
                call_helpers(*run, found.others);
            }
        }
    });
    if (failed) {
        if (found.claimed)
            release(now.run_id, *found.claimed);
        return look_again(now, *failed);
    }
    now.failures = 0;
    now.alone = found.what == verdict::alone;
    now.may_return |= found.what == verdict::turn;
    now.rest = found.what == verdict::wait ? found.milliseconds : 0;
    if (found.what == verdict::claimed) {
        do_task(*duty, *found.claimed, with);
        release(now.run_id, *found.claimed);
    }
    return found.what == verdict::claimed || found.what == verdict::wait || found.what == verdict::alone;
}

// Works at a run until nothing is left to do there, and returns the run to go on with.
std::optional<std::int64_t> serve(std::int64_t run_id, Oid owner, slot &of_database, way &to_sync) {
    std::optional<record> run;
    insist(run_id, "starting", [&] {
        if (pg::extension_exists())
            run = find(run_id);
    });
    slot of_run(pg::lock_kind::run_worker, static_cast<std::uint32_t>(run_id));
    if (!run || run->owner != owner || !of_run.take(run->workers))
        return std::nullopt;
    to_sync.end();
    pg::owned_context memory("pg_etl run", TopMemoryContext);
    search now{run_id};
    for (bool more = true; more;) {
        pg::memory_switch in(memory.get());
        pg::reload_configuration();
        more = step(now, to_sync);
        if (more && now.rest > 0)
            (void)pg::outside_transaction([&now] { pg::sleep(now.rest); });
        memory.reset();
    }
    // Somebody else's run may have waited for this process's places. They are free before its worker starts.
    of_run.leave();
    std::optional<std::int64_t> next;
    insist(run_id, "leaving", [&] {
        if (!pg::extension_exists())
            return;
        // It may have got its turn, or the sync its workers, meanwhile, and whoever handed on saw this process there.
        next = hand_on(*run, now.may_return);
        if (!next)
            of_database.leave();
    });
    return next;
}

void work(const pg::worker_order &order) {
    pg::owned_context memory("pg_etl worker", TopMemoryContext);
    slot of_database(pg::lock_kind::worker, 0);
    way to_sync;
    for (std::optional<std::int64_t> run = order.run; run && of_database.take(max_workers);) {
        pg::memory_switch in(memory.get());
        run = serve(*run, order.owner, of_database, to_sync);
        memory.reset();
    }
}

} // namespace

} // namespace etl::run

extern "C" PGDLLEXPORT void pg_etl_worker_main(Datum);

void pg_etl_worker_main(Datum) {
    etl::pg::enter([] {
        const etl::pg::worker_order order = etl::pg::connect_worker();
        etl::pg::on_unexpected_exit(etl::run::tell_launcher);
        etl::run::work(order);
        etl::pg::expect_exit();
        return Datum{0};
    });
}
