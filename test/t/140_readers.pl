# Readers in a tight loop while a mart is published and swapped see the old mart or the new one: never a part, never an
# empty one after the first, never an error. By the simple protocol, prepared, by a function with cached plans, by a cursor.
use strict;
use warnings;
use PgEtl;
use PostgreSQL::Test::Utils;
use Test::More;

my $etl = PgEtl->new('readers', rows => 300, conf => "etl.publish_lock_timeout = 300ms\n");
# All counts that may be seen: each seed has one listing more in every portal, so that no part is as large as a whole.
$etl->sql(<<'SQL');
CREATE TABLE seen_as_whole (n bigint PRIMARY KEY);
INSERT INTO seen_as_whole VALUES (0);
CREATE FUNCTION counted() RETURNS void LANGUAGE plpgsql AS $$
DECLARE found bigint;
BEGIN
    SELECT count(*) INTO found FROM raw.ads_volkswagen;
    IF NOT EXISTS (SELECT FROM seen_as_whole WHERE n = found) THEN
        RAISE EXCEPTION 'a part is seen: % rows', found;
    END IF;
END $$;
CREATE TABLE shift AS SELECT lid, row_number() OVER (ORDER BY lid DESC) AS place FROM mapping.lot_volkswagen
    WHERE lid IN (SELECT lid FROM raw.full_auto_mobile UNION SELECT lid FROM raw.full_auto_autoscout);
CREATE TABLE held_back AS SELECT m.* FROM mapping.lot_volkswagen m JOIN shift USING (lid) WHERE place <= 70;
DELETE FROM mapping.lot_volkswagen WHERE lid IN (SELECT lid FROM held_back);
SQL
my $whole = q{SELECT 1 / (CASE WHEN (SELECT count(*) FROM raw.ads_volkswagen) IN (SELECT n FROM seen_as_whole) THEN 1 ELSE 0 END)};
my %script = (
	'simple protocol' => [ 'simple', "$whole;\n" ],
	'prepared statement' => [ 'prepared', "$whole;\n" ],
	'function' => [ 'simple', "SELECT counted();\n" ],
	'cursor' => [ 'simple', "BEGIN;\nDECLARE c CURSOR FOR $whole;\nFETCH c;\nSELECT 1;\nFETCH c;\nCOMMIT;\n" ]);
my (@readers, %output);
for my $name (sort keys %script)
{
	my ($mode, $text) = @{ $script{$name} };
	my $file = PostgreSQL::Test::Utils::tempdir() . '/reader.sql';
	append_to_file($file, $text);
	$output{$name} = '';
	push @readers, [ $name, IPC::Run::start([ 'pgbench', '-n', '-M', $mode, '-c', 1, '-T', 300, '-f', $file,
		$etl->node->connstr('postgres') . ' application_name=reader' ], '>', \$output{$name}, '2>&1') ];
}
my $reading = "SELECT count(*) >= 4 FROM pg_stat_activity WHERE application_name = 'reader'";
$etl->wait_until($reading);

for my $round (1 .. 6)
{
	$etl->sql("INSERT INTO mapping.lot_volkswagen SELECT h.* FROM held_back h JOIN shift USING (lid)
	           WHERE place > 10 * ($round - 1) AND place <= 10 * $round") if $round > 1;
	$etl->sql('INSERT INTO seen_as_whole SELECT (SELECT count(*) FROM etl.volkswagen_mobile)
	           + (SELECT count(*) FROM etl.volkswagen_autoscout) + (SELECT count(*) FROM etl.volkswagen_kleinanzeigen)
	           ON CONFLICT DO NOTHING');
	my $run = $etl->seed(workers => 2, chunk_rows => 100);
	ok($etl->wait_for_run($run, 'published'), "round $round is published while four read");
	is($etl->sql('SELECT count(*) = (SELECT max(n) FROM seen_as_whole) FROM raw.ads_volkswagen'), 't', "round $round is whole");
	if ($round == 6)
	{
		$etl->sql("SELECT etl_revert($run)");
		is($etl->sql('SELECT count(*) < (SELECT max(n) FROM seen_as_whole) FROM raw.ads_volkswagen'), 't', 'and reverted');
	}
	# The first mart may be seen as empty before, none may afterwards.
	$etl->sql('DELETE FROM seen_as_whole WHERE n = 0') if $round == 1;
}
is($etl->sql($reading), 't', 'all readers are still at it');
is($etl->sql('SELECT count(*) FROM seen_as_whole'), 6, 'six marts of different sizes were to be seen');
for my $reader (@readers)
{
	my ($name, $harness) = @$reader;
	$harness->signal('TERM'); # a run in the background may ignore INT
	$harness->finish;
	unlike($output{$name}, qr/ERROR|aborted/, "$name: no error, no part") or diag($output{$name});
}
done_testing();
