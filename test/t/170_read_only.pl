# On a standby and in a read-only transaction all that changes something is refused with 25006 and a hint, at once, and
# the views work. After promotion the run goes on.
use strict;
use warnings;
use PgEtl::Roles;
use Test::More;
use Time::HiRes qw(time);

my $etl = PgEtl::Roles->new('primary', rows => 100, portals => ['mobile'], conf => "wal_level = replica\nmax_wal_senders = 4\n");
my $run = $etl->seed;
$etl->wait_for_run($run);
my $unfinished = $etl->sql("SELECT DISTINCT run_id FROM etl_seed('volkswagen', publish => 'manual')");
$etl->wait_for_run($unfinished, 'loaded');
$etl->sql("SELECT etl_pause(run_id) FROM (SELECT DISTINCT run_id FROM etl_fold_prices('mobile')) f");

my $primary = $etl->node;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'wal_receiver_status_interval = 1');
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));

my @calls = map { "SELECT $_" } "etl_add_portal('p', 'raw.full_auto_mobile', 'raw.cust_auto_mobile', 'raw.stat_auto_mobile',
	'raw.prices_auto_mobile')", "etl_drop_portal('mobile')", "etl_add_make('m', 'mapping.lot_volkswagen')",
	"etl_drop_make('volkswagen')", "etl_refresh_make('volkswagen')", "etl_set_template('t', 'SELECT 1')",
	"etl_drop_template('t')", "etl_set_rates('raw.currency_rates')", "etl_seed('volkswagen')", "etl_verify('volkswagen')", "etl_fold_prices('mobile')",
	"etl_forget_old('volkswagen')", map { "etl_$_($unfinished)" } qw(cancel pause resume retry publish revert);
push @calls, "CALL etl_wait($unfinished)";
my @views = map { "SELECT count(*) FROM $_" } qw(etl_progress etl_runs etl_tasks etl_events etl_health);

sub refused
{
	my ($where, $before, $messages) = @_;
	for my $call (@calls)
	{
		my ($name) = $call =~ /(etl_\w+)/;
		my $begin = time;
		$etl->refuses('postgres', "$before $call", '25006', qr/$name\(\).*DETAIL:.*HINT:  $messages/s, "$where: $name");
		cmp_ok(time - $begin, '<', 2, "$where: $name at once") if $name =~ /seed|wait/;
	}
	for my $view (@views)
	{
		my ($state, $out, $err) = $etl->as('postgres', "$before $view");
		ok($state eq '' && $out > 0, "$where: $view") or diag($err);
	}
	my ($state, $out, $err) = $etl->as('postgres', "$before SELECT count(*) FROM etl_plan('volkswagen')");
	ok($state eq '' && $out > 3, "$where: etl_plan, which writes nothing") or diag($err);
	($state, $out) = $etl->as('postgres', "$before SELECT count(*) FROM etl.volkswagen_mobile");
	ok($state eq '' && $out > 0, "$where: a source view") or diag($out);
	return;
}

refused('a read-only transaction', 'SET default_transaction_read_only = on;', 'Use SET TRANSACTION READ WRITE');
{
	local $etl->{node} = $standby;
	refused('a standby', '', 'Call it on the primary');
	like($etl->sql("SELECT waiting_for FROM etl_progress WHERE kind = 'fold'"), qr/etl_resume \(paused by postgres\)/,
		'a paused run is shown as such');
	is($etl->sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'"), 0, 'no worker waits on a standby');
	is($etl->sql("SELECT count(*) > 0 FROM raw.ads_volkswagen WHERE etl.clean_vin(vin) IS NOT NULL"), 't', 'kernels work');
}

# Nothing of the run was written by this server, but it is the same cluster.
$primary->stop('immediate');
$standby->promote;
$etl->{node} = $standby;
$etl->sql("SELECT etl_publish($unfinished)");
ok($etl->wait_for_run($unfinished, 'published'), 'a promoted standby takes the run up');
$etl->same_mart('after promotion');
done_testing();
