# What happens to sources, staging tables and mart in the middle of a run: each run ends failed or waits, says what stood
# in its way, leaves the mart as it was, and comes to its end when that is gone. Never is the mart silently short.
use strict;
use warnings;
use PgEtl::Roles;
use Test::More;

my $etl = PgEtl::Roles->new('interference', rows => 200, portals => [qw(mobile autoscout)], register => 0,
	conf => "etl.publish_lock_timeout = 200ms\n");
$etl->add_role('app');
$etl->sql(<<'SQL');
-- One listing is partitioned.
ALTER TABLE raw.full_auto_autoscout RENAME TO full_whole;
CREATE TABLE raw.full_auto_autoscout (LIKE raw.full_whole INCLUDING ALL) PARTITION BY RANGE (lid);
DO $$
DECLARE middle bigint := percentile_disc(0.7) WITHIN GROUP (ORDER BY lid) FROM raw.full_whole;
BEGIN
    EXECUTE format('CREATE TABLE raw.full_low PARTITION OF raw.full_auto_autoscout FOR VALUES FROM (MINVALUE) TO (%s)', middle);
    EXECUTE format('CREATE TABLE raw.full_high PARTITION OF raw.full_auto_autoscout FOR VALUES FROM (%s) TO (MAXVALUE)', middle);
END $$;
INSERT INTO raw.full_auto_autoscout SELECT * FROM raw.full_whole;
SQL
my $middle = $etl->sql('SELECT percentile_disc(0.4) WITHIN GROUP (ORDER BY lid) FROM mapping.lot_volkswagen');
$etl->sql(<<"SQL");
CREATE FUNCTION raw.gate(lid bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS \$\$
BEGIN
    IF lid >= $middle THEN PERFORM pg_advisory_xact_lock_shared(1); END IF;
    RETURN true;
END \$\$;
SQL
$etl->let_work('app');
$etl->sql('ANALYZE raw.full_auto_mobile, raw.full_auto_autoscout, mapping.lot_volkswagen');
for my $portal (@{ $etl->{portals} })
{
	$etl->as_ok('app', "SELECT etl_add_portal('$portal', 'raw.full_auto_$portal', 'raw.cust_auto_$portal',
	                    'raw.stat_auto_$portal', 'raw.prices_auto_$portal')", "portal $portal");
}
$etl->sql("INSERT INTO etl.template SELECT 'gated', 'app'::regrole, query || ' AND raw.gate(ads.lid)' FROM etl.template
           WHERE name = 'ads'");
my $add_make = "SELECT etl_add_make('volkswagen', 'mapping.lot_volkswagen', country => 'DE', template => 'gated')";
$etl->as_ok('app', $add_make, 'the make');
$etl->legacy;
my $whole = $etl->sql('SELECT count(*) FROM legacy.ads_volkswagen');

# A run that is paused between two chunks.
sub paused_run
{
	my $lock = $etl->session;
	$lock->query_safe('SELECT pg_advisory_lock(1)');
	my $run = $etl->sql("SELECT DISTINCT run_id FROM etl_seed('volkswagen', workers => 1, chunk_rows => 40)");
	$etl->wait_until("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
	  or die 'the run does not come to the gate';
	$etl->sql("SELECT etl_pause($run)");
	$lock->quit;
	$etl->wait_for_no_workers;
	my ($done, $left) = split /\|/, $etl->sql("SELECT count(*) FILTER (WHERE state = 'done'),
	    count(*) FILTER (WHERE state = 'waiting') FROM etl_tasks WHERE run_id = $run AND kind = 'load'");
	die "nothing done or nothing left ($done, $left)" if !$done or !$left;
	return $run;
}

# Breaks something in the middle of a run, expects the run to fail with that error and nothing to be published, cures it,
# and takes the run up again: by etl_retry, or by a seed that begins anew.
sub breaks
{
	my ($what, $break, $state, $error, $cure, $again) = @_;
	my $before = $etl->sql('SELECT count(*) FROM raw.ads_volkswagen');
	my $run = paused_run();
	$etl->sql($break);
	$etl->sql("SELECT etl_resume($run)");
	$etl->wait_for_run($run, 'failed');
	my $got = $etl->sql("SELECT concat_ws(' ', state, sqlstate, error) FROM etl_runs WHERE run_id = $run");
	like($got, qr/^failed $state .*$error/, "$what: the run fails and says why");
	my ($code) = $etl->as('app', "CALL etl_wait($run)");
	is($code, $state, "$what: so does etl_wait");
	my $after = $etl->try_sql('SELECT 1 FROM raw.ads_volkswagen LIMIT 0') == 0
	  ? $etl->sql('SELECT count(*) FROM raw.ads_volkswagen') : $before;
	is($after, $before, "$what: the mart is as it was");
	$etl->sql($cure);
	my $next = $run;
	if ($again eq 'retry') { $etl->as_ok('app', "SELECT etl_retry($run)", "$what: app tries again") }
	else
	{
		$next = $etl->as_ok('app', "SELECT DISTINCT run_id FROM etl_seed('volkswagen', workers => 2, chunk_rows => 40)",
			"$what: app seeds again");
		cmp_ok($next, '>', $run, "$what: that is a new run, since what was loaded is no use");
	}
	$etl->as_ok('app', "CALL etl_wait($next)", "$what: the run ends");
	is($etl->sql('SELECT count(*) FROM raw.ads_volkswagen'), $whole, "$what: with all rows");
	return;
}

breaks('a revoked SELECT', 'REVOKE SELECT ON raw.stat_auto_autoscout FROM app', '42501', 'stat_auto_autoscout',
	'GRANT SELECT ON raw.stat_auto_autoscout TO app', 'retry');
$etl->same_mart('after a revoked SELECT');
breaks('row security on a source', 'ALTER TABLE raw.cust_auto_autoscout ENABLE ROW LEVEL SECURITY', '42501',
	'row-level security policy for table "cust_auto_autoscout"',
	'ALTER TABLE raw.cust_auto_autoscout DISABLE ROW LEVEL SECURITY', 'retry');
breaks('a revoked SELECT on the currency rates', 'REVOKE SELECT ON raw.currency_rates FROM app', '42501', 'currency_rates',
	'GRANT SELECT ON raw.currency_rates TO app', 'retry');

# A partition of a source that comes back, and one that does not.
my $bound = $etl->sql("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'full_high'");
breaks('a detached partition of a source', 'ALTER TABLE raw.full_auto_autoscout DETACH PARTITION raw.full_high', '55000',
	'portal "autoscout" has lost its source raw.full_high', "ALTER TABLE raw.full_auto_autoscout ATTACH PARTITION raw.full_high $bound",
	'retry');
$etl->same_mart('after a lost partition');
{
	my $all = $whole;
	my $high = $etl->sql("SELECT count(*) FROM raw.ads_volkswagen WHERE lid IN (SELECT lid FROM raw.full_high)");
	cmp_ok($high, '>', 0, 'the partition has rows in the mart');
	$whole -= $high;
	breaks('a partition that is gone for good', 'ALTER TABLE raw.full_auto_autoscout DETACH PARTITION raw.full_high', '55000',
		'portal "autoscout" has lost its source raw.full_high', 'SELECT 1', 'seed');
	$etl->sql("ALTER TABLE raw.full_auto_autoscout ATTACH PARTITION raw.full_high $bound");
	$whole = $all;
}

# A source dropped, and built anew under its name.
my $rebuild = sub {
	my $type = shift;
	return "ALTER TABLE raw.stat_kept RENAME TO stat_auto_autoscout;
	        ALTER TABLE raw.stat_auto_autoscout ALTER views TYPE $type USING views::$type;
	        GRANT SELECT ON raw.stat_auto_autoscout TO app;";
};
my $views = $etl->sql("SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                       WHERE attrelid = 'raw.stat_auto_autoscout'::regclass AND attname = 'views'");
breaks('DROP TABLE of a source CASCADE', 'CREATE TABLE raw.stat_kept (LIKE raw.stat_auto_autoscout INCLUDING ALL);
    INSERT INTO raw.stat_kept SELECT * FROM raw.stat_auto_autoscout; DROP TABLE raw.stat_auto_autoscout CASCADE', '42P01',
	'', $rebuild->($views) . "SELECT etl_refresh_make('volkswagen')", 'seed');
is($etl->sql("SELECT count(*) FROM pg_extension WHERE extname = 'pg_etl'"), 1, 'DROP TABLE CASCADE leaves the extension');
$etl->same_mart('after a source was built anew');

# Retyped: what fits no more is refused by name, what fits is taken.
$etl->sql('CREATE TABLE raw.stat_kept (LIKE raw.stat_auto_autoscout INCLUDING ALL);
           INSERT INTO raw.stat_kept SELECT * FROM raw.stat_auto_autoscout; DROP TABLE raw.stat_auto_autoscout CASCADE');
is($etl->sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'etl'::regnamespace AND relname IN
              ('volkswagen_mobile', 'volkswagen_autoscout')"), 1, 'and takes the view of that source only');
$etl->refuses('app', "SELECT * FROM etl_seed('volkswagen')", '55000',
	qr/no source view for portal "autoscout".*HINT:.*etl_refresh_make/s, 'a seed without that view is refused');
$etl->sql($rebuild->('text'));
$etl->refuses('app', "SELECT etl_refresh_make('volkswagen')", '42804', qr/"views"/, 'a column of a type that does not fit');
$etl->sql("ALTER TABLE raw.stat_auto_autoscout ALTER views TYPE numeric USING views::numeric");
$etl->as_ok('app', "SELECT etl_refresh_make('volkswagen')", 'one of a type that does');
breaks('a lost staging table', "DO \$\$ BEGIN EXECUTE (SELECT 'DROP TABLE ' || max(staging)::regclass FROM etl.run_portal); END \$\$",
	'42P01', 'staging table', 'SELECT 1', 'seed');
breaks('a lost index of the mart', 'DROP INDEX raw.ads_volkswagen_model', '42704', 'index', 'SELECT 1', 'seed');
$etl->same_mart('after a lost index');

# Partitions of the mart that are gone are no loss: the new ones take their place.
my $run = paused_run();
$etl->sql('ALTER TABLE raw.ads_volkswagen DETACH PARTITION raw.ads_volkswagen_mobile; DROP TABLE raw.ads_volkswagen_mobile');
$etl->sql("SELECT etl_resume($run)");
ok($etl->wait_for_run($run, 'published'), 'a lost partition of the mart does not stop its successor');
$etl->same_mart('after a lost partition of the mart');

# Locks and snapshots: the run waits, says for whom, and goes on.
sub waits
{
	my ($what, $begin, $for, @more) = @_;
	my $session = $etl->session;
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	$run = paused_run();
	$session->query_safe($begin);
	$etl->sql("SELECT etl_resume($run)");
	(my $expected = $for) =~ s/PID/$pid/;
	ok($etl->wait_until("SELECT waiting_for = '$expected' FROM etl_progress WHERE run_id = $run", 't', 20),
		"$what: the run says what it waits for");
	# When a try has ended and the next has not come to wait yet, it says nothing.
	my $seen = '';
	for (1 .. 50)
	{
		(undef, $seen) = $etl->as('app', "SELECT waiting_for FROM etl_progress WHERE run_id = $run");
		last if $seen eq $expected;
		sleep 0.1;
	}
	is($seen, $expected, "$what: to a plain owner, too");
	is($etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run AND kind = 'publish' AND state = 'done'"), 0,
		"$what: nothing is published meanwhile") if $what !~ /source/;
	$session->quit;
	ok($etl->wait_for_run($run, 'published'), "$what: and goes on when that is gone");
	return;
}
waits('a lock on the mart', 'BEGIN; SELECT count(*) FROM raw.ads_volkswagen', 'lock on raw.ads_volkswagen held by pid PID');
waits('a lock on a partition of the mart', 'BEGIN; SELECT count(*) FROM raw.ads_volkswagen_mobile',
	'lock on raw.ads_volkswagen_mobile held by pid PID');
waits('a lock on a source', 'BEGIN; LOCK TABLE raw.full_auto_mobile', 'lock on raw.full_auto_mobile held by pid PID');
waits('an older snapshot', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1', 'older snapshot of pid PID');
$etl->same_mart('after all that waiting');

# The mart itself, last, for then the make is added anew.
$run = paused_run();
$etl->sql('DROP TABLE raw.ads_volkswagen');
$etl->sql("SELECT etl_resume($run)");
$etl->wait_for_run($run, 'failed');
like($etl->sql("SELECT concat_ws(' ', state, error) FROM etl_runs WHERE run_id = $run"), qr/^failed .*mart/, 'a lost mart');
$etl->refuses('app', "SELECT * FROM etl_seed('volkswagen')", '42P01', qr/mart/, 'a seed without mart');
$etl->as_ok('app', "SELECT etl_drop_make('volkswagen')", 'the make can be dropped');
$etl->as_ok('app', $add_make, 'and added again');
$run = $etl->seed;
ok($etl->wait_for_run($run), 'and seeded');
$etl->same_mart('in the end');
$etl->wait_for_no_workers;
is($etl->sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0, 'no lock of ours is left');
done_testing();
