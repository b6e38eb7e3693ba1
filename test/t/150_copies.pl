# Dumps and copies of a database hold the definitions and the marts, start nothing by themselves, and can be worked with;
# DROP EXTENSION and DROP DATABASE work at any moment, and take what is ours alone.
use strict;
use warnings;
use PgEtl::Faults;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $etl = PgEtl::Faults->new('copies', rows => 200, database => 'cars');
my $node = $etl->node;

sub in_database
{
	my ($database, $code) = @_;
	local $etl->{database} = $database;
	return $code->();
}

# All that a copy must have in common with the original, as text.
sub fingerprint
{
	my $database = shift;
	return $etl->sql(<<'SQL', $database);
SELECT 'mart', count(*), md5(string_agg(t::text, '' ORDER BY portal, lid)) FROM raw.ads_volkswagen t
UNION ALL SELECT 'price state', count(*), md5(string_agg(t::text, '' ORDER BY portal, lid)) FROM raw.price_state t
UNION ALL SELECT 'views', count(*), md5(string_agg(definition, '' ORDER BY viewname)) FROM pg_views WHERE schemaname = 'etl'
    AND viewname LIKE 'volkswagen%'
UNION ALL SELECT 'portal', count(*), string_agg(to_jsonb(t)::text, '' ORDER BY portal) FROM etl.portal t
UNION ALL SELECT 'make', count(*), string_agg(to_jsonb(t)::text, '' ORDER BY make) FROM etl.make t
UNION ALL SELECT 'source', count(*), string_agg(to_jsonb(t)::text, '' ORDER BY make, portal) FROM etl.source t
UNION ALL SELECT 'template', count(*), md5(string_agg(to_jsonb(t)::text, '' ORDER BY name)) FROM etl.template t
UNION ALL SELECT 'comments', count(*), md5(string_agg(d.description, '' ORDER BY c.relname COLLATE "C", d.objsubid))
    FROM pg_class c JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid
    WHERE c.relname LIKE 'ads\_volkswagen%' OR c.relname LIKE 'price\_state%'
UNION ALL SELECT 'indexes', count(*), md5(string_agg(indexdef, '' ORDER BY indexdef COLLATE "C")) FROM pg_indexes
    WHERE schemaname = 'raw'
ORDER BY 1
SQL
}

# Nothing of ours is left but marts and price states; the extension can be made again.
sub drop_extension
{
	my ($database, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $rows = $etl->sql('SELECT (SELECT count(*) FROM raw.ads_volkswagen), (SELECT count(*) FROM raw.price_state)', $database);
	my ($code, undef, $err) = $etl->try_sql('DROP EXTENSION pg_etl', database => $database);
	is($code, 0, "$name: DROP EXTENSION without CASCADE") or diag($err);
	is($etl->sql('SELECT (SELECT count(*) FROM raw.ads_volkswagen), (SELECT count(*) FROM raw.price_state)', $database), $rows,
		"$name: leaves mart and price state");
	is($etl->sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'etl'", $database), 0, "$name: and nothing of its own");
	is($etl->sql("SELECT count(*) FROM pg_event_trigger", $database), 0, "$name: no event trigger");
	return;
}

my $published = $etl->seed(workers => 2, chunk_rows => 60);
$etl->wait_for_run($published);
my $run = $etl->hold('load');
my $loaded = $etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run AND state = 'done'");
cmp_ok($loaded, '>', 0, 'a run is under way, with chunks done');
my $original = fingerprint('cars');

# A dump taken in mid-run, restored into another database.
my $dump = PostgreSQL::Test::Utils::tempdir() . '/cars.dump';
command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('cars') ], 'pg_dump in mid-run');
$etl->sql('CREATE DATABASE restored');
command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump ], 'pg_restore');
is(fingerprint('restored'), $original, 'the restored database is equal');
is($etl->sql('SELECT count(*) FROM etl_runs', 'restored'), 0, 'it has no runs');
cmp_ok($etl->sql('SELECT count(*) FROM etl.volkswagen_mobile', 'restored'), '>', 0, 'its source views show rows');
is($etl->sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'restored' AND backend_type LIKE 'pg_etl%'"), 0,
	'and no worker');
# A run there gets a number that the original's runs had; the name of its staging table may be taken by a restored one.
my $staging = $etl->sql("SELECT relname FROM pg_class WHERE relname LIKE 'ads\\_volkswagen\\_mobile\\_r%' AND relkind = 'r'", 'restored');
$etl->sql("ALTER TABLE raw.$staging RENAME TO ads_volkswagen_mobile_r1", 'restored');
$etl->release;
ok($etl->wait_for_run($run), 'the original run ends');
in_database('restored', sub {
	$etl->sql('ANALYZE');
	my $new = $etl->seed(workers => 2, chunk_rows => 60);
	is($new, 1, 'a seed in the restored database is its first run');
	ok($etl->wait_for_run($new), 'which is published, although a staging table of that number was restored');
	$etl->same_mart('restored');
	$etl->sql("SELECT etl_drop_make('volkswagen')");
	$etl->sql("SELECT etl_add_make('volkswagen', 'mapping.lot_volkswagen', country => 'DE', template => 'gated')");
	$etl->wait_for_no_workers;
});
drop_extension('restored', 'restored');
$etl->sql('DROP DATABASE restored; CREATE DATABASE restored');

# Into another cluster, of which the views come back in a state that DROP EXTENSION still takes along.
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$other->start;
$other->safe_psql('postgres', 'CREATE DATABASE cars');
command_ok([ 'pg_restore', '--exit-on-error', '--jobs=2', '-d', $other->connstr('cars'), $dump ], 'pg_restore by two jobs into another cluster');
{
	local $etl->{node} = $other;
	is(fingerprint('cars'), $original, 'is equal there');
	drop_extension('cars', 'restored without a run');
}
$other->stop('fast');

# A copy by CREATE DATABASE ... TEMPLATE, of a database with an unfinished run.
my $paused = $etl->hold('load');
$etl->sql("SELECT etl_pause($paused)");
$etl->release;
ok($etl->wait_for_no_workers(2), 'workers leave a paused run');
$etl->sql('CREATE DATABASE copied TEMPLATE cars', 'postgres');
is($etl->sql("SELECT state || ': ' || error FROM etl_runs WHERE run_id = $paused", 'copied'), 'cancelled: other cluster',
	'in a copy the run shows as cancelled');
is($etl->sql("SELECT state FROM etl_progress WHERE run_id = $paused", 'copied'), 'cancelled', 'in etl_progress, too');
in_database('copied', sub {
	my ($code, undef, $err) = $etl->try_sql("SELECT etl_resume($paused)");
	like($err, qr/belongs to another cluster.*copy/s, 'and cannot be resumed');
	($code, undef, $err) = $etl->try_sql("CALL etl_wait($paused)");
	like($err, qr/cancelled/, 'or waited for');
	my $new = $etl->seed(workers => 2, chunk_rows => 60);
	cmp_ok($new, '>', $paused, 'a seed there is a new run');
	ok($etl->wait_for_run($new), 'which is published');
	$etl->same_mart('copied');
	is($etl->sql("SELECT count(*) FROM pg_class WHERE relname ~ '_r$paused\$' AND relkind = 'r'"), 0,
		'the staging tables of the dead run are gone');
});
is($etl->state($paused), 'paused', 'the original is not concerned');
$etl->wait_for_no_workers;
drop_extension('copied', 'a copy');
$etl->sql("SELECT etl_resume($paused)");
ok($etl->wait_for_run($paused), 'the original goes on');
$etl->same_mart('original');

# What a DBA does right after a run has ended.
sub soon
{
	my ($name, $query, $then) = @_;
	my $next = $etl->seed(workers => 4, chunk_rows => 60);
	$etl->sql("CALL etl_wait($next)");
	my $begin = time;
	my ($code, undef, $err) = $etl->try_sql($query, database => 'postgres');
	is($code, 0, "$name right after a run") or diag($err);
	cmp_ok(time - $begin, '<', 3, "$name does not wait");
	$etl->sql($then, 'postgres') if $then;
	return;
}
soon('CREATE DATABASE TEMPLATE', 'CREATE DATABASE again TEMPLATE cars', 'DROP DATABASE again');
soon('ALTER DATABASE RENAME', 'ALTER DATABASE cars RENAME TO bikes', 'ALTER DATABASE bikes RENAME TO cars');

# DROP EXTENSION in mid-run, and again afterwards from nothing.
$run = $etl->hold('load');
my $begin = time;
my $drop = $etl->session;
my $pid = $drop->query_safe('SELECT pg_backend_pid()');
$drop->{stdin} .= "DROP EXTENSION pg_etl;\n";
$drop->{run}->pump_nb;
$etl->wait_until("SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $pid AND NOT granted)
                  OR NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_etl')");
$etl->release;
ok($etl->wait_until("SELECT NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_etl')", 't', 10),
	'DROP EXTENSION in mid-run comes to its end');
$drop->quit;
ok($etl->wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'", 't', 2),
	'and leaves no worker');
is($etl->sql("SELECT count(*) FROM pg_views WHERE schemaname = 'etl'"), 0, 'nor a view');
cmp_ok($etl->sql('SELECT count(*) FROM raw.ads_volkswagen'), '>', 0, 'the mart stays');
$etl->sql("CREATE EXTENSION pg_etl");
$etl->set_template('gated', 'public.load_gate(ads.lid)');
$etl->register(template => "'gated'");
is($etl->sql("SELECT string_agg(DISTINCT state, ', ') FROM etl_health WHERE subject = 'price state'"), 'stale',
	'price states that were there already are taken over as stale');
$run = $etl->seed(workers => 2, chunk_rows => 60);
ok($etl->wait_for_run($run), 'all can be set up again and seeded');
$etl->same_mart('after DROP EXTENSION');
soon('DROP EXTENSION in the same session', 'SELECT 1');
$etl->sql("SELECT DISTINCT run_id FROM etl_seed('volkswagen') \\gset\nCALL etl_wait(:run_id);\nDROP EXTENSION pg_etl;\n"
	  . 'CREATE EXTENSION pg_etl');
is($etl->sql('SELECT count(*) FROM etl.make'), 0, 'DROP EXTENSION right after a run, and CREATE EXTENSION in the same session');

# DROP OWNED BY the owner takes views, marts and price states; the extension stays.
$etl->sql("CREATE ROLE app LOGIN; GRANT CREATE, USAGE ON SCHEMA raw, mapping TO app;
           GRANT SELECT ON ALL TABLES IN SCHEMA raw, mapping TO app; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO app;
           DROP TABLE raw.ads_volkswagen; DROP VIEW raw.price_state; DROP TABLE raw.price_state_mobile");
$etl->sql("SET ROLE app; SELECT etl_add_portal('mobile', 'raw.full_auto_mobile', 'raw.cust_auto_mobile', 'raw.stat_auto_mobile',
           'raw.prices_auto_mobile'); SELECT etl_add_make('volkswagen', 'mapping.lot_volkswagen')");
$etl->sql('DROP OWNED BY app');
is($etl->sql("SELECT count(*) FROM pg_extension WHERE extname = 'pg_etl'"), 1, 'DROP OWNED leaves the extension');
is($etl->sql("SELECT coalesce(to_regclass('raw.ads_volkswagen'), to_regclass('raw.price_state_mobile'),
                              to_regclass('etl.volkswagen_mobile'))"), '', 'and takes what was made for the role');
$etl->sql("SELECT etl_drop_make('volkswagen'); SELECT etl_drop_portal('mobile'); DROP ROLE app");
is($etl->sql('SELECT (SELECT count(*) FROM etl.make) + (SELECT count(*) FROM etl.portal)'), 0, 'what is left can be dropped');

# DROP DATABASE: in mid-run by force, and right after a run.
$etl->register;
$run = $etl->seed(workers => 2, chunk_rows => 60);
$etl->wait_for_run($run);
$etl->sql("SELECT etl_drop_make('volkswagen')");
$etl->set_template('gated', 'public.load_gate(ads.lid)');
$etl->sql("SELECT etl_add_make('volkswagen', 'mapping.lot_volkswagen', country => 'DE', template => 'gated')");
$etl->sql('CREATE DATABASE busy TEMPLATE cars', 'postgres');
in_database('busy', sub { $etl->hold('load') });
$begin = time;
is(($etl->try_sql('DROP DATABASE busy WITH (FORCE)', database => 'postgres'))[0], 0, 'DROP DATABASE WITH (FORCE) in mid-run');
cmp_ok(time - $begin, '<', 5, 'within seconds');
$etl->release;
is($etl->sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_etl worker'", 'postgres'), 0, 'leaves no worker');
soon('DROP DATABASE', 'DROP DATABASE cars');
is($etl->sql("SELECT count(*) FROM pg_database WHERE datname IN ('cars', 'busy')", 'postgres'), 0, 'both are gone');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|signal 11|signal 6|XX000/, 'nothing broke');
done_testing();
