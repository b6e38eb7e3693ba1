# A sync vacuums what it leaves behind: thirty daily syncs of two percent bloat neither tables nor indexes, autovacuum or not.
use strict;
use warnings;
use PgEtl::Faults;
use Test::More;

my $etl = PgEtl::Faults->new('vacuum', rows => 5000, portals => [qw(mobile autoscout)],
	conf => "autovacuum = off\nshared_buffers = 128MB\n");
ok($etl->wait_for_run($etl->seed(workers => 2)), 'a mart');

# Pages of each partition, and of all its indexes. (Not of each: entries that come in the order of their values, as those of
# "modified" do, leave thin pages behind until the last entry of each has moved.)
sub pages
{
	return map { split /\|/ } split /\n/, $etl->sql(<<'SQL');
SELECT c.relname, pg_relation_size(c.oid) / 8192 FROM pg_partition_tree('raw.ads_volkswagen') t JOIN pg_class c ON c.oid = t.relid
WHERE t.isleaf
UNION ALL SELECT 'indexes of ' || c.relname, pg_indexes_size(c.oid) / 8192
FROM pg_partition_tree('raw.ads_volkswagen') t JOIN pg_class c ON c.oid = t.relid WHERE t.isleaf
SQL
}

sub sync { return $etl->sql("SELECT DISTINCT run_id FROM etl_sync('volkswagen', workers => 2)") }
my $dead = "SELECT max(dead) FROM etl.partition e JOIN pg_partition_tree('raw.ads_volkswagen') t ON t.relid = e.relation";
my $vacuumed = "SELECT sum(vacuum_count) FROM pg_stat_user_tables WHERE relid IN (SELECT relid FROM pg_partition_tree('raw.ads_volkswagen'))";

# Two percent, other ones every day.
sub day
{
	my $day = shift;
	$etl->sql("UPDATE raw.full_auto_$_ SET title = 'day $day ' || lid, modified = now() WHERE lid % 50 = $day % 50")
	  for qw(mobile autoscout);
	return;
}

my $most = 0;
for my $day (1 .. 30)
{
	day($day);
	$etl->wait_for_run(sync()) or fail("sync of day $day");
	my $now = $etl->sql($dead);
	$most = $now if $now > $most;
}
my %after = pages();
$etl->sql('DROP TABLE legacy.ads_volkswagen');
$etl->same_mart('after thirty days');
cmp_ok($etl->sql($vacuumed), '>=', 2, 'partitions were vacuumed');
cmp_ok($most, '>', 0, 'dead rows are counted');
cmp_ok($most, '<', 0.06 * $etl->sql('SELECT max(reltuples) FROM pg_class WHERE relname LIKE \'ads\_volkswagen\_%\' AND relkind = \'r\''),
	'whenever enough rows were dead');
ok($etl->wait_for_run($etl->seed(workers => 2)), 'a fresh seed');
my %fresh = pages();
for my $name (sort keys %fresh)
{
	cmp_ok($after{$name}, '<', 1.2 * $fresh{$name}, "$name: $fresh{$name} pages fresh, $after{$name} after thirty days");
}

# A partition is not vacuumed for little; nor by who may not, who says so.
$etl->sql("UPDATE raw.full_auto_$_ SET title = 'again', modified = now() WHERE lid % 200 = 1") for qw(mobile autoscout);
ok($etl->wait_for_run(sync()), 'a sync after the seed');
cmp_ok($etl->sql($dead), '>', 0, 'a few dead rows are left for later');
my $count = $etl->sql($vacuumed);
$etl->sql('UPDATE etl.partition SET dead = 100000');
ok($etl->wait_for_run(my $run = sync()), 'a sync that changes nothing');
is($etl->sql($vacuumed) - $count, 2, 'vacuums both partitions, for what others have left');
is($etl->sql($dead), 0, 'and nothing counts as dead any more');
is($etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run AND kind = 'analyze' AND state = 'done' AND attempts = 1"), 2,
	'each with one task');

# A vacuum that waits for a lock is cancelled at once, holds no snapshot, and is tried again.
my $session = $etl->session;
$session->query_safe('BEGIN; LOCK TABLE raw.ads_volkswagen_mobile IN SHARE UPDATE EXCLUSIVE MODE');
$etl->sql('UPDATE etl.partition SET dead = 100000');
$run = sync();
ok($etl->wait_for_task($run, 'analyze'), 'a vacuum');
ok($etl->wait_until("SELECT waiting_for LIKE 'lock on %volkswagen_mobile%' FROM etl_progress WHERE run_id = $run"), 'says that it waits for a lock');
is($etl->sql("SELECT phase FROM etl_progress WHERE run_id = $run"), 'vacuum', 'in phase vacuum');
is($etl->sql("CREATE TABLE public.gone AS SELECT 1 AS i; DELETE FROM public.gone; VACUUM public.gone; SELECT pg_relation_size('public.gone')"),
	0, 'without a snapshot that keeps others from vacuuming');
$etl->sql("SELECT etl_cancel($run)");
ok($etl->wait_for_no_workers(2), 'it is cancelled at once');
cmp_ok($etl->sql($dead), '>', 0, 'what it would have removed is still counted');
$session->query_safe('COMMIT');
is(sync(), $run, 'it is taken up again');
ok($etl->wait_for_run($run), 'and done');
is($etl->sql($dead), 0, 'with the vacuum');

# A make's owner who has the mart's columns, but not the mart itself
$etl->sql(<<'SQL');
CREATE ROLE alice LOGIN;
GRANT USAGE, CREATE ON SCHEMA raw, mapping TO alice;
GRANT SELECT ON ALL TABLES IN SCHEMA raw, mapping TO alice;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO alice;
SET ROLE alice;
SELECT etl_add_make('bmw', 'mapping.lot_volkswagen', country => 'DE');
SQL
ok($etl->wait_for_run($etl->sql("SELECT DISTINCT run_id FROM etl_seed('bmw')")), 'a mart of another owner');
$etl->sql(<<'SQL');
CREATE ROLE bob;
GRANT CREATE ON SCHEMA raw TO bob;
ALTER TABLE raw.ads_bmw_mobile OWNER TO bob;
GRANT ALL ON raw.ads_bmw_mobile TO alice;
UPDATE etl.partition SET dead = 100000;
SQL
$run = $etl->sql("SELECT DISTINCT run_id FROM etl_sync('bmw')");
$etl->wait_for_run($run, 'done', 'failed');
is($etl->sql("SELECT string_agg(DISTINCT state, ' ') FROM etl_tasks WHERE run_id = $run AND kind = 'analyze'"), 'done',
	'a partition of a stranger does not make the vacuum fail');
like(PostgreSQL::Test::Utils::slurp_file($etl->node->logfile),
	qr/run $run: role "alice" may not vacuum raw\.ads_bmw_mobile, which has 100000 dead rows/, 'the log says that it is left alone');
is($etl->sql("SELECT string_agg(relation || ' ' || dead, ' ' ORDER BY relation::text) FROM etl.partition WHERE make = 'bmw'"),
	'raw.ads_bmw_autoscout 0 raw.ads_bmw_mobile 100000', 'and its dead rows are still counted');
$session->quit;
$etl->left_nothing($run, 'at the end');
$etl->log_is_clean('vacuum');
done_testing();
