# Short of workers: a run waits without a spin, says which setting is exhausted and by whom, and goes on when a slot is free.
# Fifty makes asked for in one statement are published one after the other.
use strict;
use warnings;
use PgEtl::Roles;
use PostgreSQL::Test::Utils;
use Test::More;

# The only slot is taken by the logical replication launcher.
my $etl = PgEtl::Roles->new('slots', sources => 0, conf => "etl.chunk_target = 1s\n");
$etl->add_role('app');
$etl->sql(<<'SQL');
GRANT CREATE ON DATABASE postgres TO app;
SET ROLE app;
CREATE SCHEMA s;
CREATE TABLE s.listing AS SELECT i::bigint AS lid, 1 AS acc_id, 'title ' || i AS title FROM generate_series(1, 2000) i;
CREATE TABLE s.customer AS SELECT 1 AS acc_id;
CREATE TABLE s.stat AS SELECT lid FROM s.listing;
CREATE TABLE s.prices (lid bigint, price numeric, dt date);
CREATE TABLE s.currency_rates (country text, currency text, valid_from date, rate numeric);
SELECT etl_set_template('small', 'SELECT ads.lid, {portal} AS portal, {make} AS make, ads.title FROM {listing} ads
                                  JOIN {mapping} m ON m.lid = ads.lid');
SELECT etl_add_portal('one', 's.listing', 's.customer', 's.stat', 's.prices');
SELECT etl_add_portal('two', 's.listing', 's.customer', 's.stat', 's.prices');
DO $$
BEGIN
    SET LOCAL client_min_messages = error;
    FOR i IN 1 .. 50 LOOP
        EXECUTE format('CREATE TABLE s.mapping_%s AS SELECT lid FROM s.listing WHERE lid %% 50 = %s', i, i - 1);
        PERFORM etl_add_make('make ' || i, ('s.mapping_' || i)::regclass, 's.mart_' || i, template => 'small', portals => '{one}');
    END LOOP;
END $$;
SQL
$etl->node->append_conf('postgresql.conf', 'max_worker_processes = 1');
$etl->node->restart;

my $run = $etl->as_ok('app', "SELECT DISTINCT run_id FROM etl_seed('make 1')", 'a seed without a free slot');
my $reason = 'free worker slot: max_worker_processes = 1, used by 1 logical replication launcher';
is($etl->as_ok('app', "SELECT state || ': ' || waiting_for FROM etl_progress WHERE run_id = $run"), "queued: $reason",
	'says which setting, and what takes the slots, to a plain role too');
my ($state, undef, $messages) = $etl->as('app', "CALL etl_wait($run, '2s')");
is($state, '57014', 'etl_wait gives up when its time is over');
like($messages, qr/waiting for \Q$reason\E/, 'and says it too');
is($etl->sql('SELECT sum(attempts) FROM etl_tasks'), 0, 'nothing has been attempted');
unlike(slurp_file($etl->node->logfile), qr/pg_etl.* FATAL|run $run:/, 'and nothing fills the log');

# With slots, fifty makes in one statement, four workers at a time.
$etl->node->append_conf('postgresql.conf', "max_worker_processes = 6\netl.max_workers = 4");
$etl->node->restart;
is($etl->as_ok('app', "SELECT count(DISTINCT s.run_id) FROM generate_series(1, 50) i, etl_seed('make ' || i, workers => 4) s",
	'fifty makes'), 50, 'are fifty runs');
my ($most, $others) = (0, 0);
my $until = time + 100;
while ($etl->sql("SELECT count(*) FROM etl_runs WHERE state IN ('queued', 'running')") > 0 and time < $until)
{
	my $now = $etl->sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'");
	$most = $now if $now > $most;
	my (undef, $waiting) = $etl->as('app', "SELECT count(*) FROM etl_progress WHERE workers = 0 AND state = 'queued'
	                                  AND waiting_for LIKE 'free worker slot: etl.max_workers = 4%'");
	$others = $waiting if $waiting > $others;
}
is($etl->sql("SELECT string_agg(DISTINCT state, ', ') FROM etl_runs"), 'published', 'all are published');
is($etl->sql("SELECT count(*) FROM etl_runs WHERE state = 'published'"), 50, 'fifty of them, the one that waited among them');
is($etl->sql("SELECT sum(n) FROM generate_series(1, 50) i, LATERAL (SELECT (xpath('/row/c/text()', query_to_xml(
              'SELECT count(*) AS c FROM s.mart_' || i, true, true, '')))[1]::text::int AS n) c"), 2000, 'with all rows');
cmp_ok($most, '<=', 5, 'with no more than four workers at a time, and one that leaves');
cmp_ok($others, '>', 0, 'those without a worker say that etl.max_workers is the reason');
is($etl->sql("SELECT max(attempts) FROM etl_tasks"), 1, 'each task was done once');
ok($etl->wait_for_no_workers(2), 'the workers leave');

# Runs of several owners hand their slots on.
$etl->add_role('other');
$etl->sql(<<'SQL');
GRANT USAGE, CREATE ON SCHEMA s TO other;
GRANT SELECT ON ALL TABLES IN SCHEMA s TO other;
SET ROLE other;
SELECT etl_add_make('theirs', 's.mapping_7', 's.theirs', template => 'small', portals => '{one}');
SQL
$etl->node->append_conf('postgresql.conf', 'etl.max_workers = 1');
$etl->node->reload;
$etl->sql("SELECT etl_seed('make 1'), etl_seed('theirs'), etl_seed('make 2')");
ok($etl->wait_until("SELECT bool_and(state = 'published') FROM etl_progress WHERE make IN ('make 1', 'make 2', 'theirs')", 't', 20),
	'one slot goes from owner to owner');
is($etl->sql("SELECT count(*) FROM etl_runs WHERE state = 'published'"), 53, 'until all is done');

# A role that may not connect has no workers.
$etl->sql('REVOKE CONNECT ON DATABASE postgres FROM PUBLIC');
my $shut = $etl->sql("SELECT DISTINCT run_id FROM etl_seed('make 1')");
is($etl->sql("SELECT waiting_for FROM etl_progress WHERE run_id = $shut"), 'CONNECT of role app on database postgres',
	'a missing right to connect is told');
$etl->sql('GRANT CONNECT ON DATABASE postgres TO PUBLIC');
$etl->sql("CALL etl_wait($shut)");

# One slot of the server's: who leaves still holds it when it hands on to another owner, and the launcher takes over.
$etl->node->append_conf('postgresql.conf', <<'CONF');
max_worker_processes = 3
etl.max_workers = 8
shared_preload_libraries = 'pg_etl'
etl.databases = ''
CONF
$etl->node->restart;
$etl->sql("SELECT etl_seed('make 1'), etl_seed('theirs'), etl_seed('make 2')");
like($etl->sql("SELECT string_agg(DISTINCT waiting_for, ', ') FROM etl_progress WHERE workers = 0 AND state = 'queued'"),
	qr/^(worker: starting|free worker slot: max_worker_processes = 3.*)?$/, 'a run that was just asked for has its worker starting');
ok($etl->wait_until("SELECT bool_and(state = 'published') FROM etl_progress WHERE make IN ('make 1', 'make 2', 'theirs')", 't', 20),
	"the server's last slot goes from owner to owner");
done_testing();
