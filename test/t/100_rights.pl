# A plain role can do all of it with the rights that are documented; another one neither sees nor steers its runs; and a
# role that may not log in is said to be the reason.
use strict;
use warnings;
use PgEtl::Roles;
use Test::More;

my $etl = PgEtl::Roles->new('rights', rows => 300, register => 0);
my $source = "raw.full_auto_mobile', 'raw.cust_auto_mobile', 'raw.stat_auto_mobile', 'raw.prices_auto_mobile";
$etl->add_role($_) for qw(app stranger watcher colleague sleeper);
$etl->let_work('app');
$etl->sql('GRANT app TO colleague; GRANT pg_monitor TO watcher');
my $add_make = "SELECT etl_add_make('volkswagen', 'mapping.lot_volkswagen', country => 'DE')";

# Who lacks a right is told which.
$etl->sql('CREATE ROLE bystander LOGIN');
$etl->refuses('bystander', "SELECT * FROM etl_seed('volkswagen')", '42501', qr/permission denied for function etl_seed/);
$etl->refuses('stranger', "SELECT etl_add_portal('mobile', '$source')", '42501', undef, 'without rights on the sources');
$etl->sql('REVOKE CREATE ON SCHEMA raw FROM app');
$etl->refuses('app', "SELECT etl_add_portal('mobile', '$source')", '42501', qr/schema raw.*HINT:.*CREATE/s,
	'without CREATE on the schema of the log');
$etl->sql('GRANT CREATE ON SCHEMA raw TO app; REVOKE SELECT ON raw.stat_auto_mobile FROM app');
$etl->refuses('app', "SELECT etl_add_portal('mobile', '$source')", '42501', qr/stat_auto_mobile.*HINT:.*SELECT/s,
	'without SELECT on a source');
$etl->sql('GRANT SELECT ON raw.stat_auto_mobile TO app; ALTER ROLE sleeper NOLOGIN');
$etl->sql('GRANT USAGE ON SCHEMA raw TO sleeper');
$etl->refuses('postgres', "SET ROLE sleeper; SELECT etl_add_portal('mobile', '$source')", '42501',
	qr/"sleeper" is not permitted to log in.*HINT:.*ALTER ROLE sleeper LOGIN/s, 'an owner without LOGIN');

# All of it, as a plain role.
for my $portal (@{ $etl->{portals} })
{
	(my $of = $source) =~ s/mobile/$portal/g;
	$etl->as_ok('app', "SELECT etl_add_portal('$portal', '$of')", "app adds portal $portal");
}
$etl->as_ok('app', $add_make, 'app adds the make');
cmp_ok($etl->as_ok('app', "SELECT count(*) FROM etl_plan('volkswagen')", 'app plans'), '>', 5, 'the plan has tasks');
my $run = $etl->as_ok('app', "SELECT DISTINCT run_id FROM etl_seed('volkswagen', workers => 2, chunk_rows => 100)",
	'app seeds');
$etl->as_ok('app', "CALL etl_wait($run)", 'app waits');
$etl->same_mart('mart of a plain role');
is($etl->sql("SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE oid IN
              (SELECT relid FROM pg_partition_tree('raw.ads_volkswagen'))"), 'app', 'the mart belongs to who added the make');
my $second = $etl->as_ok('app', "SELECT DISTINCT run_id FROM etl_seed('volkswagen')", 'app seeds again');
$etl->as_ok('app', "CALL etl_wait($second)", 'and waits');
$etl->as_ok('app', "SELECT etl_revert($second)");
$etl->as_ok('app', "SELECT etl_forget_old('volkswagen')");
$etl->as_ok('app', "SELECT etl_refresh_make('volkswagen')");
my $fold = $etl->as_ok('app', "SELECT run_id FROM etl_fold_prices('mobile')", 'app folds');
$etl->as_ok('app', "CALL etl_wait($fold)", 'and waits for the fold');
is($etl->as_ok('app', "SELECT count(*) FROM etl_health WHERE subject = 'price state'"), 3, 'app sees the health of its portals');
my $verify = $etl->as_ok('app', "SELECT DISTINCT run_id FROM etl_verify('volkswagen', 'source')", 'app verifies');
$etl->as_ok('app', "CALL etl_wait($verify)", 'and waits for that');
is($etl->as_ok('colleague', "SELECT count(*) FROM etl_differences($verify)", 'a member sees what was found'), 0, 'nothing');
cmp_ok($etl->as_ok('app', "SELECT count(*) FROM etl.volkswagen_mobile"), '>', 0, 'a source view shows rows');

# What others see, and may do.
my %views = (etl_progress => 'count(*)', etl_runs => 'count(*)', etl_tasks => 'count(*)', etl_events => 'count(*)',
	etl_health => 'count(*)');
for my $view (sort keys %views)
{
	is($etl->as_ok('stranger', "SELECT count(*) FROM $view"), 0, "a stranger sees nothing in $view");
	cmp_ok($etl->as_ok('watcher', "SELECT count(*) FROM $view"), '>', 0, "pg_monitor sees what is in $view");
	cmp_ok($etl->as_ok('colleague', "SELECT count(*) FROM $view"), '>', 0, "a member sees what is in $view");
}
for my $role (qw(stranger watcher))
{
	$etl->refuses($role, "SELECT $_($run)", '42501')
	  for qw(etl_cancel etl_pause etl_resume etl_retry etl_publish etl_revert);
	$etl->refuses($role, "CALL etl_wait($run)", '42501');
	$etl->refuses($role, "SELECT * FROM etl_differences($verify)", '42501');
	$etl->refuses($role, "SELECT * FROM $_('volkswagen')", '42501')
	  for qw(etl_plan etl_seed etl_verify etl_refresh_make etl_drop_make etl_forget_old);
	$etl->refuses($role, "SELECT * FROM $_('mobile')", '42501') for qw(etl_fold_prices etl_drop_portal);
	$etl->refuses($role, "UPDATE etl.$_ SET owner = '$role'::regrole", '42501') for qw(portal make template run);
	$etl->refuses($role, "SELECT * FROM etl.$_", '42501') for qw(portal make source run task event run_progress difference digest);
	$etl->refuses($role, "DELETE FROM etl.$_", '42501') for qw(rates source run_portal task event difference digest);
	$etl->refuses($role, 'CREATE VIEW etl.mine AS SELECT 1 AS x', '42501');
}
$etl->refuses('stranger', 'SELECT etl_cancel(4711)', '42704');
$etl->refuses('app', "UPDATE etl.make SET owner = 'postgres'::regrole", '42501', undef, 'nor does the owner write the catalog');

# Nothing runs any more, so only now: a role whose LOGIN goes while its run is held by a lock on a source.
my $lock = $etl->session;
$etl->sql('CREATE FUNCTION raw.gate(lid bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN
           PERFORM pg_advisory_xact_lock_shared(1); RETURN true; END $$');
$etl->as_ok('app', "SELECT etl_drop_make('volkswagen')");
$etl->sql("GRANT SELECT ON etl.template TO app");
$etl->as_ok('app', "SELECT etl_set_template('gated', (SELECT query || ' AND raw.gate(ads.lid)' FROM etl.template
                    WHERE name = 'ads'))", 'app sets a template');
$etl->as_ok('app', "SELECT etl_add_make('volkswagen', 'mapping.lot_volkswagen', country => 'DE', template => 'gated')",
	'and adds the make with it');
$lock->query_safe('SELECT pg_advisory_lock(1)');
my $held = $etl->as_ok('app', "SELECT DISTINCT run_id FROM etl_seed('volkswagen', workers => 2, chunk_rows => 150)");
$etl->wait_until("SELECT count(*) = 2 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
is($etl->sql("SELECT DISTINCT usename FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'"), 'app',
	'workers show as the owner');
like($etl->sql("SELECT application_name FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'
                AND application_name LIKE '% autoscout %' ORDER BY 1 DESC LIMIT 1"),
	qr/^pg_etl volkswagen autoscout (\[\d+|\(), (\d+\)|\))$/, 'and say what they work at');
like($etl->as_ok('app', "SELECT waiting_for FROM etl_progress WHERE run_id = $held"), qr/lock on advisory held by pid \d+/,
	'a plain owner is told who holds the lock');
$etl->sql('ALTER ROLE app NOLOGIN');
$etl->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'");
$etl->wait_for_no_workers;
is($etl->sql("SELECT state || ': ' || waiting_for FROM etl_progress WHERE run_id = $held"), 'queued: LOGIN of role app',
	'a run whose owner may not log in any more waits for that');
$etl->refuses('colleague', "SELECT * FROM etl_seed('volkswagen')", '42501',
	qr/"app" is not permitted to log in.*DETAIL:.*HINT:.*ALTER ROLE app LOGIN/s, 'who asks again is told');
$etl->refuses('colleague', "CALL etl_wait($held)", '42501', qr/HINT:.*ALTER ROLE app LOGIN/s, 'who waits is told');
$etl->sql('ALTER ROLE app LOGIN');
$lock->quit;
is($etl->as_ok('colleague', "SELECT DISTINCT run_id FROM etl_seed('volkswagen')"), $held, 'with LOGIN the run goes on');
$etl->as_ok('colleague', "CALL etl_wait($held)", 'to its end, with a member waiting');
is($etl->state($held), 'published', 'and is published');
$etl->same_mart('mart after all that');

# A role that goes altogether.
$lock = $etl->session;
$lock->query_safe('SELECT pg_advisory_lock(1)');
my $last = $etl->as_ok('app', "SELECT DISTINCT run_id FROM etl_seed('volkswagen', workers => 1)");
$etl->wait_until("SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
$etl->sql('ALTER ROLE app NOLOGIN');
$etl->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'");
$etl->wait_for_no_workers;
$etl->sql('REASSIGN OWNED BY app TO postgres; DROP OWNED BY app; DROP ROLE app');
$lock->quit;
$etl->wait_until("SELECT state IN ('failed', 'queued') AND workers = 0 FROM etl_progress WHERE run_id = $last");
like($etl->sql("SELECT concat_ws(' ', state, error, waiting_for) FROM etl_progress WHERE run_id = $last"),
	qr/queued LOGIN of role \d+|failed .*/, 'a run whose owner was dropped says so');
$etl->wait_for_no_workers;
$etl->sql("SELECT etl_cancel($last)");
is($etl->state($last), 'cancelled', 'a superuser can cancel it');
$etl->refuses('postgres', "SELECT * FROM etl_seed('volkswagen')", '42704', qr/role with OID \d+ does not exist.*HINT:/s,
	'and is told why it cannot be seeded');
$etl->sql("SELECT etl_drop_make('volkswagen')");
is($etl->sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'etl'::regnamespace AND relname LIKE 'volkswagen%'"), 0,
	'and can drop the make with its views');
$etl->sql("SELECT etl_drop_portal('$_')") for @{ $etl->{portals} };
$etl->sql('DROP EXTENSION pg_etl');
is($etl->sql('SELECT count(*) > 0 FROM raw.ads_volkswagen'), 't', 'the mart stays');

done_testing();
