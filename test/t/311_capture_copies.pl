# Watched sources in a copy, and rows that logical replication applies to them.
use strict;
use warnings;
use PgEtl;
use PostgreSQL::Test::Utils;
use Test::More;

my $etl = PgEtl->new('capture_copies', sources => 0, conf => "wal_level = logical\nmax_wal_senders = 4\nmax_replication_slots = 4\n");
my $node = $etl->node;
my $tables = <<'SQL';
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint, title text);
ALTER TABLE listing REPLICA IDENTITY FULL;
SQL
$etl->sql("$tables " . <<'SQL');
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint) PARTITION BY RANGE (lid);
CREATE TABLE stat_1 PARTITION OF stat FOR VALUES FROM (0) TO (1000);
CREATE TABLE prices (lid bigint, price numeric, dt date);
CREATE TABLE mapping (lid bigint PRIMARY KEY);
SELECT etl_set_template('small', 'SELECT l.lid, {portal} AS portal FROM {listing} l JOIN {mapping} m USING (lid)');
SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'prices');
SELECT etl_add_make('m', 'mapping', 'mart', template => 'small');
SELECT etl_watch_sources('m');
INSERT INTO listing VALUES (1, 1), (2, 2);
SQL
my $states = "SELECT string_agg(DISTINCT state, ',') FROM etl_health WHERE subject = 'capture'";
my $queued = "SELECT string_agg(key::text, ' ' ORDER BY key) FROM (SELECT DISTINCT key FROM etl.dirty) d";
is($etl->sql($states), 'covered', 'the original is covered');

my $dir = PostgreSQL::Test::Utils::tempdir();
command_ok([ 'pg_dump', '-Fd', '-f', "$dir/dump", $node->connstr('postgres') ], 'pg_dump');
for my $way ([ 'at once' ], [ 'by two jobs', '--jobs=2' ], [ 'in one transaction', '--single-transaction' ])
{
	my ($name, @options) = @$way;
	$etl->sql('CREATE DATABASE copy', 'postgres');
	local $etl->{database} = 'copy';
	command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('copy'), @options, "$dir/dump" ], "$name: pg_restore");
	is($etl->sql($states), 'gap', "$name: the copy knows that it is one");
	like($etl->sql("SELECT min(detail) FROM etl_health WHERE subject = 'capture'"), qr/this is a copy/, "$name: and says so");
	my ($code, undef, $err) = $etl->try_sql('INSERT INTO listing VALUES (3, 3); INSERT INTO stat_1 VALUES (4)');
	is("$code$err", '0', "$name: it can be written, without a word");
	$etl->sql("SELECT etl_watch_sources('m')");
	is($etl->sql($states), 'covered', "$name: watched again");
	is($etl->sql("SELECT count(*) FROM pg_trigger WHERE tgname ~ '^etl_capture'"), 20, "$name: each table has its triggers once");
	is(($etl->try_sql('DROP EXTENSION pg_etl'))[0], 0, "$name: DROP EXTENSION without CASCADE");
	is($etl->sql("SELECT count(*) FROM pg_trigger WHERE tgname ~ '^etl_capture'"), 0, "$name: takes the triggers along");
	$etl->sql('DROP DATABASE copy', 'postgres');
}
$etl->sql('CREATE DATABASE copy');
{
	local $etl->{database} = 'copy';
	command_ok([ 'pg_restore', '--schema-only', '-d', $node->connstr('copy'), "$dir/dump" ], 'schema only');
	my ($code, undef, $err) = $etl->try_sql('INSERT INTO listing VALUES (3, 3)');
	is($code, 0, 'a source of which nothing is known can be written');
	like($err, qr/WARNING:.*not a source of a watched make/, 'with a warning');
}

# A subscription writes without statement triggers.
$etl->sql('CREATE DATABASE source');
$etl->sql("$tables CREATE PUBLICATION pub FOR TABLE listing; INSERT INTO listing VALUES (10, 10)", 'source');
$etl->sql("SELECT pg_create_logical_replication_slot('sub', 'pgoutput')", 'source');
my $connection = $node->connstr('source') =~ s/'/''/gr;
$etl->sql("CREATE SUBSCRIPTION sub CONNECTION '$connection' PUBLICATION pub WITH (create_slot = false, slot_name = 'sub')");
like($etl->sql("SELECT detail FROM etl_health WHERE subject = 'capture' AND state = 'gap'"), qr/a subscription writes to the source/,
	'a subscription is a gap');
$etl->sql("SELECT etl_watch_sources('m')");
is($etl->sql($states), 'covered', 'until the sources are watched again');
$etl->wait_until("SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate <> 'r'");
$etl->sql('DELETE FROM etl.dirty');
$etl->sql("INSERT INTO listing VALUES (20, 20); UPDATE listing SET lid = 21 WHERE lid = 20; DELETE FROM listing WHERE lid = 10", 'source');
ok($etl->wait_until($queued, '10 20 21'), 'what is applied is queued');
$etl->sql('INSERT INTO listing VALUES (30, 30)');
is($etl->sql("SELECT count(*) FROM etl.dirty WHERE key = 30"), 1, 'what is written here, once');
$etl->sql('TRUNCATE listing', 'source');
ok($etl->wait_until("SELECT count(*) FROM etl.source_gap WHERE cause ~ 'truncated'", 1), 'TRUNCATE is a gap');
$etl->sql('ALTER SUBSCRIPTION sub DISABLE; ALTER SUBSCRIPTION sub SET (slot_name = NONE); DROP SUBSCRIPTION sub');
$node->stop;
done_testing();
