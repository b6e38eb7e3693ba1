// C++ regime: a worker's life: log in, take a slot, do tasks until none is left, hand on.
#include "pg/extension.hpp"
#include "pg/function.hpp"
#include "pg/identity.hpp"
#include "pg/lock.hpp"
#include "pg/message.hpp"
#include "pg/transaction.hpp"
#include "run/launcher.hpp"
#include "run/work.hpp"
#include "settings.hpp"

namespace etl::run {

namespace {

// The lowest free slot of a kind, taken for the life of this process.
bool take_slot(pg::lock_kind kind, std::uint32_t run, int limit) {
    for (int slot = 0; slot < limit; slot++)
        if (pg::try_lock({kind, run, static_cast<std::uint32_t>(slot)}))
            return true;
    return false;
}

// A task that may bring the server down runs while no other task does; the others share this lock.
class company {
public:
    explicit company(bool alone) : strength_(alone ? pg::lock_strength::exclusive : pg::lock_strength::shared) {
        pg::lock({pg::lock_kind::alone, 0, 0}, strength_);
    }
    ~company() {
        if (std::uncaught_exceptions() == exceptions_)
            pg::unlock({pg::lock_kind::alone, 0, 0}, strength_);
    }
    company(const company &) = delete;
    company &operator=(const company &) = delete;

private:
    pg::lock_strength strength_;
    int exceptions_ = std::uncaught_exceptions();
};

void do_task(const assignment &duty, const task &todo) {
    const pg::string title = task_title(duty.run, todo.kind, todo.portal, todo.range);
    pg::report_application_name(pg::format("pg_etl %s", title.c_str()).c_str());
    const company with(todo.alone);
    const std::optional<pg::error_report> report =
        todo.kind == "publish"
            ? perform_publish(duty, todo)
            : pg::in_transaction(title.c_str(), [&] { perform(duty, todo); });
    if (report) {
        pg::log(pg::view(pg::format("run " INT64_FORMAT ", task %d (%s): %s: %s", duty.run.run_id, todo.task_no,
                                    title.c_str(), report->sqlstate, report->message.c_str())));
        (void)pg::in_transaction("recording an error", [&] {
            pg::lock_extension();
            mark_error(duty.run, todo, *report);
        });
    }
}

// One look for work. Returns false when this worker has nothing more to do for the run.
bool step(std::int64_t run_id) {
    std::optional<assignment> duty;
    claim_result found;
    const std::optional<pg::error_report> failed = pg::in_transaction("looking for work", [&] {
        if (!pg::extension_exists())
            return;
        pg::lock_extension();
        const std::optional<record> run = find(run_id);
        if (!run || !run->of_this_cluster)
            return;
        found = claim(*run);
        if (found.what == verdict::claimed) {
            duty.emplace(read_assignment(*run));
            // Whoever opens up more work than it can do alone calls for help.
            const int helpers = std::min<std::int64_t>(found.others, run->workers - live_workers(run_id));
            if (helpers > 0)
                pg::start_workers_at_commit({pg::current_database(), run->owner, run_id}, helpers);
        }
    });
    if (failed) {
        // Cancelled between tasks, or the catalog was busy: nothing was claimed, so look again, but not at once.
        if (found.claimed)
            release(run_id, *found.claimed);
        if (std::string_view(failed->sqlstate) != "57014")
            pg::log(pg::view(pg::format("run " INT64_FORMAT ": looking for work: %s: %s", run_id, failed->sqlstate,
                                        failed->message.c_str())));
        pg::sleep(200);
        const std::string_view kind = std::string_view(failed->sqlstate).substr(0, 2);
        return kind != "XX" && kind != "42" && kind != "55"; // a bug, or the extension went away
    }
    switch (found.what) {
    case verdict::claimed:
        do_task(*duty, *found.claimed);
        release(run_id, *found.claimed);
        return true;
    case verdict::wait:
        pg::sleep(found.milliseconds);
        return true;
    default:
        return false;
    }
}

void work(const pg::worker_order &order) {
    if (!take_slot(pg::lock_kind::worker, 0, max_workers))
        return;
    int limit = 0;
    (void)pg::in_transaction("starting", [&] {
        if (!pg::extension_exists())
            return;
        const std::optional<record> run = find(order.run);
        limit = run && run->owner == order.owner ? run->workers : 0;
    });
    if (!take_slot(pg::lock_kind::run_worker, static_cast<std::uint32_t>(order.run), limit))
        return;
    pg::owned_context memory("pg_etl worker", TopMemoryContext);
    for (bool more = true; more;) {
        pg::memory_switch in(memory.get());
        pg::reload_configuration();
        more = step(order.run);
        memory.reset();
    }
    // Somebody else's run may have waited for this slot.
    (void)pg::in_transaction("leaving", [] {
        if (pg::extension_exists())
            kick_oldest();
    });
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
