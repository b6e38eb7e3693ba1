# The digest that a chunk leaves with its mark is that of the rows in the table, in each way of loading; and it says so
# where the rows are others.
use strict;
use warnings;
use PgEtl;
use Test::More;

my $etl = PgEtl->new('digests', rows => 2000, register => 0);
# Values that are compressed in the source, out of line, and both.
$etl->sql(<<'SQL');
UPDATE raw.full_auto_mobile SET description = (SELECT string_agg(md5(lid::text || i), '') FROM generate_series(1, 90) i) WHERE lid % 7 = 0;
UPDATE raw.full_auto_mobile SET title = repeat(title, 200) WHERE lid % 11 = 0;
SQL
$etl->register;
# In columns of the mart that the view does not give, anything may stand.
$etl->sql("ALTER TABLE raw.ads_volkswagen ADD remark text, ADD noted timestamptz");
my $columns = $etl->sql("SELECT string_agg(quote_ident(attname), ', ' ORDER BY md5(attname)) FROM pg_attribute
	WHERE attrelid = 'etl.volkswagen_mobile'::regclass AND attnum > 0");

# Each loaded chunk of the run against the published rows of its range: how many there are, and how many differ.
sub chunks
{
	my ($run) = @_;
	return $etl->sql(<<"SQL");
CREATE FUNCTION pg_temp.differs(part text, lid_from bigint, lid_to bigint, digest bigint) RETURNS int LANGUAGE plpgsql AS \$\$
DECLARE now bigint;
BEGIN
    EXECUTE format('SELECT etl.digest(p) FROM (SELECT $columns FROM %s WHERE (\$1 IS NULL OR lid >= \$1) AND (\$2 IS NULL OR lid < \$2)) p', part)
    INTO now USING lid_from, lid_to;
    RETURN (now IS DISTINCT FROM digest)::int;
END \$\$;
SELECT count(*) > 8, count(DISTINCT digest) > 8, sum(pg_temp.differs('raw.ads_volkswagen_' || portal, lid_from, lid_to, digest)),
    (SELECT count(*) FROM etl.task WHERE run_id = $run AND kind <> 'load' AND digest IS NOT NULL)
FROM etl.task WHERE run_id = $run AND kind = 'load'
SQL
}

sub seed
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $run = $etl->seed(workers => 2, chunk_rows => 400);
	ok($etl->wait_for_run($run, 'published'), "$name: published");
	is(chunks($run), 't|t|0|0', "$name: each chunk has the digest of its rows");
	return $run;
}

sub all_digests
{
	my ($run) = @_;
	return $etl->sql("SELECT sum(digest::numeric) % 18446744073709551616 FROM etl.task WHERE run_id = $run");
}

my %sum;
for my $join (qw(on off))
{
	for my $mode (qw(rows pages))
	{
		$etl->sql("ALTER DATABASE postgres SET etl.key_join = $join; ALTER DATABASE postgres SET etl.write_mode = $mode");
		my $run = seed("key_join = $join, write_mode = $mode");
		$sum{ all_digests($run) } = 1;
	}
}
is(keys %sum, 1, 'whatever the way, the digests are the same');

# What the mart fills in by itself goes by INSERT, and so does not count either.
$etl->sql("ALTER TABLE raw.ads_volkswagen ALTER remark SET DEFAULT 'seen', ALTER noted SET DEFAULT clock_timestamp()");
my $run = seed('by INSERT');
is($etl->sql('SELECT count(*) > 0, count(*) = count(remark) FROM raw.ads_volkswagen'), 't|t', 'the defaults are there');
is((keys %sum)[0], all_digests($run), 'and the digests are the same');

# Damage of each kind in one chunk shows in that chunk.
my $lid = $etl->sql("SELECT lid FROM raw.ads_volkswagen_mobile ORDER BY lid OFFSET 300 LIMIT 1");
for my $damage ("UPDATE raw.ads_volkswagen_mobile SET title = title || ' ' WHERE lid = $lid",
	"UPDATE raw.ads_volkswagen_mobile SET price = NULL WHERE lid = (SELECT min(lid) FROM raw.ads_volkswagen_mobile WHERE lid > $lid AND price IS NOT NULL)",
	"DELETE FROM raw.ads_volkswagen_autoscout WHERE lid = (SELECT max(lid) FROM raw.ads_volkswagen_autoscout)")
{
	(my $undone = chunks($run)) =~ s/^t\|t\|(\d+)\|0$/$1/;
	$etl->sql($damage);
	(my $done = chunks($run)) =~ s/^t\|t\|(\d+)\|0$/$1/;
	cmp_ok($done, '>=', $undone, "it shows: $damage");
	cmp_ok($done, '>', 0, 'in a chunk');
}
done_testing();
