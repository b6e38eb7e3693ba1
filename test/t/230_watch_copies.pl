# A dump of a database with watched price logs can be restored in every way; in the copy the price state is stale, with a
# plain cause, until the log is watched and folded once more.
use strict;
use warnings;
use PgEtl::Watched;
use PostgreSQL::Test::Utils;
use Test::More;

my $etl = PgEtl::Watched->new('watch_copies');
my $node = $etl->node;
$etl->make_log;
$etl->sql(<<'SQL');
CREATE TABLE parted (lid bigint, price numeric, dt date) PARTITION BY RANGE (dt);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (MINVALUE) TO ('2020-02-01');
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2020-02-01') TO (MAXVALUE);
CREATE INDEX ON parted (lid);
INSERT INTO parted SELECT lid, price, dt FROM log;
SELECT etl_add_portal('parted', 'listing', 'listing', 'listing', 'parted'), etl_watch_prices('parted');
SELECT etl_fold_prices('parted');
SQL
$etl->wait_until("SELECT count(*) = 0 FROM etl_runs WHERE state <> 'done'");
ok($etl->watch_and_fold, 'watched and folded');
my $health = "SELECT string_agg(name || ' ' || state, ', ' ORDER BY name COLLATE \"C\") FROM etl_health WHERE subject = 'price state'";
is($etl->sql($health), 'p current, parted current', 'the original is current');

my $dir = PostgreSQL::Test::Utils::tempdir();
command_ok([ 'pg_dump', '-Fd', '-f', "$dir/dump", $node->connstr('postgres') ], 'pg_dump');
command_ok([ 'pg_dump', '-f', "$dir/plain", $node->connstr('postgres') ], 'pg_dump as SQL');

sub restore
{
	my ($name, @options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('copy'), @options, "$dir/dump" ], $name);
}

sub is_stale
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($etl->sql($health), 'p stale, parted stale', "$name: stale");
	unlike($etl->sql("SELECT string_agg(COALESCE(detail, 'none'), ', ') FROM etl_health WHERE subject = 'price state'"), qr/none/,
		"$name: with a cause");
	return;
}

my $write = "INSERT INTO log (lid, price, dt) SELECT i, 7, '2030-01-01' FROM generate_series(290, 310) i;"
  . "INSERT INTO parted SELECT 1, 7, '2030-01-01'; INSERT INTO parted_1 SELECT 2, 7, '2000-01-01'; DELETE FROM log WHERE lid = 5";

# [name, what restores, in steps; between them somebody writes]
my @ways = (
	[ 'at once', sub { restore('pg_restore') } ],
	[ 'by two jobs', sub { restore('pg_restore --jobs=2', '--jobs=2') } ],
	[ 'in one transaction', sub { restore('pg_restore --single-transaction', '--single-transaction') } ],
	[ 'by psql', sub { command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-1', '-f', "$dir/plain", '-d', $node->connstr('copy') ], 'psql') } ],
	[ 'by sections', sub {
		restore('pre-data', '--section=pre-data');
		restore('data', '--section=data');
		is_stale('between data and post-data');
		$etl->sql($write);
		restore('post-data', '--section=post-data');
	} ],
	[ 'schema first', sub {
		restore('--schema-only', '--schema-only');
		restore('--data-only --disable-triggers', '--data-only', '--disable-triggers');
	} ]);
for my $way (@ways)
{
	my ($name, $code) = @$way;
	$etl->sql('CREATE DATABASE copy', 'postgres');
	local $etl->{database} = 'copy';
	$code->();
	is($etl->sql("SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'pg_etl%'"), $etl->sql("SELECT count(*) FROM pg_event_trigger", 'postgres'),
		"$name: the event triggers are there, once");
	is_stale($name);
	cmp_ok($etl->sql('SELECT count(*) FROM log'), '>=', 3000, "$name: the log is whole");
	is(($etl->try_sql($write))[0], 0, "$name: it can be written");
	is_stale("$name, written");
	$etl->sql("SELECT etl_watch_prices('parted')");
	ok($etl->watch_and_fold, "$name: watched and folded");
	$etl->is_equal($name);
	$etl->sql("SELECT etl_fold_prices('parted')");
	$etl->wait_until("SELECT count(*) = 0 FROM etl_runs WHERE state <> 'done'");
	is($etl->sql($health), 'p current, parted current', "$name: all is current again");
	is($etl->sql("SELECT count(*) FROM etl_check_prices('parted', 100000)"), 0, "$name: and equal, with partitions");
	$etl->sql($write);
	$etl->is_equal("$name, written again");
	$etl->wait_for_no_workers;
	is(($etl->try_sql('DROP EXTENSION pg_etl'))[0], 0, "$name: DROP EXTENSION without CASCADE");
	is($etl->sql("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'etl%'"), 0, "$name: takes all triggers along");
	$etl->sql('DROP DATABASE copy', 'postgres');
}

# Triggers that were restored without what they belong to: data come before the definitions, or never.
$etl->sql('CREATE DATABASE copy');
{
	local $etl->{database} = 'copy';
	restore('--schema-only', '--schema-only');
	my ($code, undef, $err) = $etl->try_sql($write);
	is($code, 0, 'a log whose portal is not restored can be written') or diag($err);
	like($err, qr/WARNING:.*not the price log of a watched portal/, 'with a warning');
}
$node->stop;
done_testing();
