# Fewer worker slots than runs want: they take turns, whoever owns them, without anybody asking again, and without
# processes that start only to find no place.
use strict;
use warnings;
use PgEtl::Faults;
use Test::More;
use Time::HiRes qw(sleep);

my $etl = PgEtl::Faults->new('turns', conf => "etl.max_workers = 1\nlog_min_messages = debug1\n");

$etl->wait_for_run($_, 'done') for $etl->fold;

# Two more makes over the same sources, one of them another owner's.
$etl->sql(<<'SQL');
CREATE ROLE alice LOGIN;
GRANT USAGE, CREATE ON SCHEMA raw, mapping TO alice;
GRANT SELECT ON ALL TABLES IN SCHEMA raw, mapping TO alice;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO alice;
SELECT etl_add_make('audi', 'mapping.lot_volkswagen', country => 'DE', template => 'gated');
SET ROLE alice;
SELECT etl_add_make('bmw', 'mapping.lot_volkswagen', country => 'DE', template => 'gated');
SQL

sub started
{
	my $from = shift;
	my $log = PostgreSQL::Test::Utils::slurp_file($etl->node->logfile, $from);
	return scalar(() = $log =~ /starting background worker process "pg_etl worker/g);
}

sub check_all
{
	my ($name, @runs) = @_;
	ok($etl->wait_for_run($_), "$name: run $_ is published") for @runs;
	is($etl->sql("SELECT count(*) FROM (SELECT lid, portal FROM raw.ads_$_ EXCEPT ALL SELECT lid, portal FROM legacy.ads_volkswagen) d"), 0,
		"$name: $_") for qw(volkswagen audi bmw);
	$etl->left_nothing($_, $name) for @runs;
	return;
}

my $ask = "SELECT string_agg(run_id::text, ' ' ORDER BY run_id) FROM unnest('{volkswagen,bmw,audi}'::text[]) WITH ORDINALITY make(name, n),
           LATERAL (SELECT DISTINCT run_id FROM etl_seed(name, workers => 4, chunk_rows => 20)) r";
my $from = -s $etl->node->logfile;
my @runs = split / /, $etl->sql($ask);
is(scalar(@runs), 3, 'three runs in one statement');
check_all('one worker of ours', @runs);
cmp_ok(started($from), '<=', 8, 'hardly a worker was started in vain');

# What a run waits for that finds no place
$etl->bar('load');
@runs = split / /, $etl->sql($ask);
# Whoever came first is held; the others wait for it.
$etl->wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'pg_etl worker' AND wait_event_type = 'Lock'");
is($etl->sql("SELECT string_agg(concat_ws('|', state, workers, waiting_for), ' ') FROM etl_progress WHERE state = 'queued'"),
	join(' ', ('queued|0|free worker slot: etl.max_workers = 1, all of them busy') x 2), 'the others say why they wait');
$from = -s $etl->node->logfile;
sleep 1;
is(started($from), 0, 'nobody tries in vain meanwhile');
$etl->release;
check_all('one after the other', @runs);

# A task under suspicion waits for others' tasks, but for no publish that waits. All see why, and a cancel reaches them.
sub suspect
{
	my $make = shift;
	return $etl->sql("BEGIN; SELECT DISTINCT run_id FROM etl_seed('$make', workers => 1, chunk_rows => 60);
	                  UPDATE etl.task t SET crashes = 2 FROM etl.run r WHERE r.run_id = t.run_id AND r.make = '$make'
	                  AND r.state = 'queued' AND t.kind = 'load'; COMMIT");
}
my $loaded = "SELECT bool_and(state = 'done') FROM etl_tasks WHERE kind = 'load' AND run_id =";
$etl->node->append_conf('postgresql.conf', 'etl.max_workers = 6');
$etl->node->reload;
for my $phase ('snapshot', 'publish')
{
	my $held = $etl->hold($phase);
	my $alone = suspect('audi');
	ok($etl->wait_until("$loaded $alone", 't', 15), "publish held by $phase does not hold up who must run alone");
	ok($etl->wait_until("SELECT waiting_for LIKE 'older snapshot of%' OR waiting_for LIKE 'lock on%' FROM etl_progress
	                     WHERE run_id = $held"), "and says what it waits for ($phase)");
	$etl->release;
	ok($etl->wait_for_run($_), "run $_ is published after $phase") for $held, $alone;
}
{
	my $held = $etl->hold('load');
	my $alone = suspect('audi');
	ok($etl->wait_until("SELECT waiting_for FROM etl_progress WHERE run_id = $alone",
		"run $held: a task here may bring the server down and is to run alone", 10), 'who must run alone waits for the others');
	my $third = $etl->sql("SELECT DISTINCT run_id FROM etl_seed('bmw', workers => 1)");
	ok($etl->wait_until("SELECT waiting_for FROM etl_progress WHERE run_id = $third",
		"run $alone: a task of it that may bring the server down runs alone", 10), 'others wait for it, and say so');
	$etl->sql("SELECT etl_cancel($third)");
	$etl->sql("SELECT etl_cancel($alone)");
	$etl->wait_until("SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objsubid = 25975", 't', 2);
	is($etl->sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 25973 AND classid IN ($third, $alone)"),
		0, 'workers that wait leave when their run is cancelled');
	$etl->release;
	ok($etl->wait_for_run($held), 'the run that they waited for is published');
	$etl->sql("UPDATE etl.task SET crashes = 0 WHERE run_id = $alone");
}

# An error that can't be written down at once is not taken for a crash.
$etl->sql(<<'SQL');
CREATE SEQUENCE public.tries;
CREATE FUNCTION public.no_space() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('public.tries') <= 2 THEN RAISE 'no space left' USING ERRCODE = 'disk_full'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_space BEFORE UPDATE ON etl.task FOR EACH ROW WHEN (NEW.error IS NOT NULL) EXECUTE FUNCTION public.no_space();
CREATE FUNCTION public.fail(lid bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 1 / (lid - lid) = 0; END';
SQL
$etl->set_template('failing', 'public.fail(ads.lid)');
$etl->sql("SELECT etl_add_make('seat', 'mapping.lot_volkswagen', country => 'DE', template => 'failing')");
my $failing = $etl->sql("SELECT DISTINCT run_id FROM etl_seed('seat', workers => 1, chunk_rows => 1000000)");
$etl->wait_for_run($failing, 'failed');
is($etl->sql("SELECT sqlstate FROM etl_runs WHERE run_id = $failing"), '22012', 'the run tells its own error');
is($etl->sql("SELECT max(attempts), max(crashes) FROM etl_tasks WHERE run_id = $failing"), '1|0', 'no attempt was taken for a crash');
like(PostgreSQL::Test::Utils::slurp_file($etl->node->logfile), qr/run $failing: recording an error: 53100: no space left/,
	"and the server's log has it");
$etl->sql('DROP TRIGGER no_space ON etl.task');
$etl->sql("SELECT etl_drop_make('seat')");
$etl->node->append_conf('postgresql.conf', 'etl.max_workers = 1');

# No slot of the server's left
$etl->node->append_conf('postgresql.conf', "max_worker_processes = 1\nmax_logical_replication_workers = 0");
$etl->node->restart;
@runs = split / /, $etl->sql($ask);
$etl->sql("CALL etl_wait($_, '30 s')") for @runs;
check_all('one process', @runs);
$etl->node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$etl->node->restart;
my $run = $etl->seed;
is($etl->sql("SELECT state, workers FROM etl_progress WHERE run_id = $run"), 'queued|0', 'no slot: queued');
like($etl->sql("SELECT waiting_for FROM etl_progress WHERE run_id = $run"), qr/^free worker slot: max_worker_processes = 0/,
	'and why');
$etl->node->append_conf('postgresql.conf', 'max_worker_processes = 8');
$etl->node->restart;
is($etl->seed, $run, 'asked for again');
$etl->is_whole($run, 'with slots again');
$etl->log_is_clean('turns');
done_testing();
