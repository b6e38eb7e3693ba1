# Workers that have lost their claim without knowing it, write nothing: frozen ones that the server lets go later, and one
# whose session locks are gone while it works.
use strict;
use warnings;
use PgEtl::Faults;
use Test::More;
use Time::HiRes qw(sleep);

my $etl = PgEtl::Faults->new('lost_lock');

# Frozen: its task stays its own; nobody does it a second time.
my $run = $etl->hold('load');
my ($frozen, $other) = $etl->workers($run);
my $task = $etl->sql("SELECT task_no FROM etl_tasks WHERE run_id = $run AND state = 'running' AND pid = $frozen");
kill 'STOP', $frozen;
$etl->release;
$etl->wait_until("SELECT count(*) = 1 FROM etl_tasks WHERE run_id = $run AND state = 'running'");
$etl->wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'");
is($etl->seed, $run, 'a second request finds the run');
sleep 0.5;
is($etl->sql("SELECT task_no, pid, state, attempts FROM etl_tasks WHERE run_id = $run AND task_no = $task"),
	"$task|$frozen|running|1", 'the task of a frozen worker is taken by nobody');
isnt($etl->state($run), 'published', 'and the run does not end without it');

# Terminated while it is frozen: it dies when it thaws, and its rows with it.
$etl->sql("SELECT pg_terminate_backend($frozen)");
sleep 0.2;
kill 'CONT', $frozen;
$etl->wait_for_exit($frozen);
is($etl->seed, $run, 'and again');
$etl->is_whole($run, 'a frozen worker', $task => 1);

# Its locks are gone: a function of the template gives back every advisory lock of its session, and works on.
$etl->sql("SELECT etl_drop_make('volkswagen')");
$etl->sql('DROP TABLE raw.ads_volkswagen');
$etl->sql(<<'SQL');
CREATE FUNCTION public.give_back(lid bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF pg_catalog.pg_try_advisory_lock(77) THEN -- only the first to come here
        IF lid % 2 = 0 AND current_setting('application_name') LIKE '%[%' THEN
            PERFORM pg_catalog.pg_advisory_unlock_all();
            PERFORM pg_catalog.pg_advisory_lock(77), pg_catalog.pg_advisory_xact_lock_shared(1);
        ELSE
            PERFORM pg_catalog.pg_advisory_unlock(77);
        END IF;
    END IF;
    RETURN true;
END $$;
SQL
$etl->set_template('careless', 'public.give_back(ads.lid)');
$etl->sql("SELECT etl_add_make('volkswagen', 'mapping.lot_volkswagen', country => 'DE', template => 'careless')");
$etl->bar('load');
$run = $etl->seed(workers => 2, chunk_rows => 60);
my $careless = 'SELECT pid FROM pg_locks WHERE NOT granted AND locktype = \'advisory\' AND objid = 1 AND objsubid = 1';
$etl->wait_until("SELECT count(*) = 1 FROM ($careless) c");
# Its task may be another's before anybody can ask whose it was.
$etl->wait_until("SELECT count(*) = 1 FROM etl_tasks WHERE run_id = $run AND attempts > 1");
$task = $etl->sql("SELECT task_no FROM etl_tasks WHERE run_id = $run AND attempts > 1");
$etl->wait_until("SELECT state = 'done' FROM etl_tasks WHERE run_id = $run AND task_no = $task");
my $rows = $etl->sql("SELECT rows FROM etl_tasks WHERE run_id = $run AND task_no = $task");
$etl->release;
$etl->is_whole($run, 'lost locks', $task => 1);
is($etl->sql("SELECT attempts, rows FROM etl_tasks WHERE run_id = $run AND task_no = $task"), "2|$rows",
	'the task was done once, by the second worker');
like(PostgreSQL::Test::Utils::slurp_file($etl->node->logfile), qr/taken over by another worker/, 'the first says so in the log');
$etl->log_is_clean('lost locks');
done_testing();
