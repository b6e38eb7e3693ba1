# The key join gives the marts that the executor gives, whatever the template, and rows of one moment beside writers.
use strict;
use warnings;
use IPC::Run;
use PgEtl;
use PostgreSQL::Test::Utils;
use Test::More;

my $etl = PgEtl->new(
	'key_join',
	rows => 3000,
	conf => "shared_preload_libraries = 'auto_explain'\nauto_explain.log_min_duration = 0\nwork_mem = 1MB\n");

# Seeds with the key join on or off and leaves the mart's rows as text in a table.
sub seed_with
{
	my ($key_join, $mart, %argument) = @_;
	$etl->sql("ALTER DATABASE postgres SET etl.key_join = $key_join");
	my $offset = -s $etl->node->logfile;
	my $run = $etl->seed(workers => 2, chunk_rows => 400, %argument);
	ok($etl->wait_for_run($run, 'published'), "key_join = $key_join: published");
	$etl->sql("DROP TABLE IF EXISTS rows_$key_join; CREATE TABLE rows_$key_join AS SELECT m::text AS line FROM $mart m");
	my $log = slurp_file($etl->node->logfile, $offset);
	my $joined = () = $log =~ /EtlKeyJoin/g;
	return $joined;
}

sub same_rows
{
	my ($name) = @_;
	is($etl->sql('SELECT count(*) > 0 FROM rows_on'), 't', "$name: there are rows");
	is( $etl->sql('SELECT count(*) FROM ((TABLE rows_on EXCEPT ALL TABLE rows_off)
	               UNION ALL (TABLE rows_off EXCEPT ALL TABLE rows_on)) d'),
		0, "$name: the same rows with the key join on and off");
}

# The mart's legacy oracle, in memory that holds a chunk and in memory that does not.
for my $memory (qw(64kB 64MB))
{
	$etl->sql("ALTER DATABASE postgres SET etl.join_memory = '$memory'");
	cmp_ok(seed_with('on', 'raw.ads_volkswagen'), '>=', 3, "$memory: the chunks were loaded by the key join");
	$etl->same_mart("$memory: key join");
}
is(seed_with('off', 'raw.ads_volkswagen'), 0, 'and not when it is off');
$etl->same_mart('executor');
same_rows('ads');

# The other templates that tests use over these sources, and variants of them.
my %template = (
	gated => "(SELECT query || ' AND ads.lid % 3 = 0' FROM etl.template WHERE name = 'ads')",
	title => "'SELECT ads.lid, {portal} AS portal, {make} AS make, ads.title FROM {listing} ads
	           JOIN {mapping} m ON m.lid = ads.lid'",
	lower => "'SELECT ads.lid, {portal} AS portal, lower(ads.title) AS title FROM {listing} ads
	           JOIN {mapping} m ON m.lid = ads.lid'",
	using => "'SELECT lid, {portal} AS portal, {make} AS make FROM {listing} JOIN {price_state} USING (lid)'",
	alone => "'SELECT lid, {portal} AS portal, {make} AS make, {country} AS country FROM {listing}'",
	mapping => "'SELECT m.lid, {make}::text AS make, {portal}::text AS portal FROM {mapping} m
	             JOIN {listing} l ON l.lid = m.lid'",
	left => "'SELECT ads.lid, {portal} AS portal, ads.title, m.model, cust.name FROM {listing} ads
	          JOIN {stat} s USING (lid) LEFT JOIN {mapping} m ON m.lid = ads.lid AND m.model IS NOT NULL
	          LEFT JOIN {customer} cust ON cust.acc_id = ads.acc_id AND cust.verified'",
	fields => "'SELECT ads.*, {portal} AS portal, s.views, m.make, ps.price_max FROM {listing} ads
	            JOIN {stat} s ON s.lid = ads.lid JOIN {mapping} m ON m.lid = s.lid
	            JOIN {price_state} ps ON ps.lid = m.lid AND ps.price_max > 1000'");
$etl->sql("SELECT etl_drop_make('volkswagen')");
for my $name (sort keys %template)
{
	$etl->sql("SELECT etl_set_template('$name', $template{$name})");
	$etl->sql("SELECT etl_add_make('volkswagen', 'mapping.lot_volkswagen', 'raw.mart_$name', country => 'DE', template => '$name')");
	seed_with('on', "raw.mart_$name");
	seed_with('off', "raw.mart_$name");
	same_rows($name);
	$etl->sql("SELECT etl_drop_make('volkswagen')");
}

# Beside writers, every row is of one moment: a transaction writes the same number into both tables, in place and not,
# and takes rows away and puts them back.
$etl->sql(<<'SQL');
ALTER DATABASE postgres SET etl.key_join = on;
CREATE TABLE raw.left_side (lid bigint PRIMARY KEY, acc_id bigint, note text, number int) WITH (fillfactor = 60);
CREATE TABLE raw.right_side (lid bigint PRIMARY KEY, number int);
INSERT INTO raw.left_side SELECT i, 1, repeat('x', i % 200), 0 FROM generate_series(1, 20000) i ORDER BY hashint8(i);
INSERT INTO raw.right_side SELECT lid, 0 FROM raw.left_side ORDER BY hashint8(lid + 1);
CREATE PROCEDURE raw.write(seed int) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. 1000000 LOOP
        UPDATE raw.left_side SET number = n, note = repeat('y', n % 300) WHERE lid % 97 = (n + seed) % 97 AND lid % 2 = seed;
        UPDATE raw.right_side SET number = n WHERE lid % 97 = (n + seed) % 97 AND lid % 2 = seed;
        COMMIT;
        WITH gone AS (DELETE FROM raw.right_side WHERE lid % 101 = n % 101 AND lid % 2 = seed RETURNING *)
        UPDATE raw.left_side l SET number = 0 FROM gone WHERE l.lid = gone.lid;
        INSERT INTO raw.right_side SELECT lid, 0 FROM raw.left_side WHERE lid % 101 = n % 101 AND lid % 2 = seed;
        COMMIT;
    END LOOP;
END $$;
SELECT etl_add_portal('sides', 'raw.left_side', 'raw.cust_auto_mobile', 'raw.stat_auto_mobile', 'raw.prices_auto_mobile');
SELECT etl_set_template('sides', 'SELECT l.lid, {portal} AS portal, l.number AS a, r.number AS b, l.note FROM {listing} l JOIN {mapping} r ON r.lid = l.lid');
SELECT etl_add_make('sides', 'raw.right_side', 'raw.sides', template => 'sides', portals => ARRAY['sides']);
SQL
my @writers = map {
	IPC::Run::start([ 'psql', '-X', '-q', '-d', $etl->node->connstr('postgres'), '-c', "CALL raw.write($_)" ], '>', \my $out, '2>', \my $err)
} 0, 1;
for my $round (1 .. 3)
{
	my $run = $etl->sql("SELECT DISTINCT run_id FROM etl_seed('sides', workers => 2, chunk_rows => 3000)");
	ok($etl->wait_for_run($run, 'published'), "beside writers, round $round: published");
	is($etl->sql('SELECT count(*), count(DISTINCT lid), count(*) FILTER (WHERE a IS DISTINCT FROM b) FROM raw.sides'),
		'20000|20000|0', "beside writers, round $round: every row once and of one moment");
}
cmp_ok($etl->sql('SELECT max(number) FROM raw.left_side'), '>', 3, 'the writers did write');
$etl->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CALL raw.write%'");
$_->finish for @writers;

done_testing();
