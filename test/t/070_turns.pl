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
