# What comes after the loads: indexes share the memory of the run, statistics are there when the mart is published and are
# refined later.
use strict;
use warnings;
use PgEtl;
use PostgreSQL::Test::Utils;
use Test::More;

my $etl = PgEtl->new('finish', portals => [qw(mobile autoscout)],
	conf => "autovacuum = off\netl.index_memory = 48MB\nmaintenance_work_mem = 3MB\nmax_parallel_maintenance_workers = 7\n");
my $mart = 'raw.ads_volkswagen';
# An index that says what its build may use. It is the second to be built, so that at least four are left.
$etl->sql(<<"SQL");
CREATE FUNCTION public.seen(lid bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS \$\$
BEGIN
    IF lid % 100 = 0 THEN
        RAISE LOG 'build may use % and % processes', current_setting('maintenance_work_mem'),
            current_setting('max_parallel_maintenance_workers');
    END IF;
    RETURN lid % 10;
END \$\$;
CREATE INDEX a_seen ON $mart (public.seen(lid));
SQL

sub seed
{
	my ($name, %argument) = @_;
	my $read = -s $etl->node->logfile;
	my $run = $etl->seed(%argument);
	ok($etl->wait_for_run($run), "$name: published");
	$etl->wait_for_no_workers;
	my %seen = map { $_ => 1 } slurp_file($etl->node->logfile, $read) =~ /build may use (.*) processes/g;
	delete $seen{'3MB and 7'}; # ANALYZE computes it too, under the server's own settings
	return join ', ', sort keys %seen;
}

# Statistics of columns and of what indexes compute: missing ones, and the largest histogram.
sub statistics
{
	return $etl->sql("SELECT string_agg(format('%s: %s missing, %s', relation, missing, CASE WHEN largest <= 11 THEN 'rough'
		WHEN largest <= 26 THEN 'coarse' ELSE 'fine' END), '; ' ORDER BY relation) FROM (
		SELECT c.relname AS relation, count(*) FILTER (WHERE s.attname IS NULL) AS missing,
		       max(array_length(s.histogram_bounds::text::text[], 1)) AS largest
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_stats s ON s.tablename = c.relname AND s.attname = a.attname AND s.inherited = (c.relkind = 'p')
		WHERE c.relname IN ('ads_volkswagen', 'ads_volkswagen_mobile') GROUP BY c.relname) r");
}

sub statistics_of_index
{
	return $etl->sql("SELECT count(*) > 0 FROM pg_stats WHERE tablename IN (SELECT c.relname FROM pg_class c
		JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent = 'raw.a_seen'::regclass)");
}

my $changes = "SELECT pg_stat_get_mod_since_analyze('raw.ads_volkswagen_mobile'::regclass) > 0";

is(seed('two workers', workers => 2), '24MB and 0', 'two workers: each build has half of the memory, and one process');
is(statistics(), 'ads_volkswagen: 0 missing, coarse; ads_volkswagen_mobile: 0 missing, coarse', 'all columns have statistics');
is(statistics_of_index(), 't', 'what an index computes has statistics');
like(seed('twelve workers', workers => 12), qr/^(?:12MB and 1|(?:6|8)MB and 0|9830kB and 0|7021kB and 0|, )+$/,
	'twelve workers: between an eighth, as there may be eight, and a quarter each');

$etl->sql('DROP INDEX raw.a_seen');
is(seed('without', workers => 2), '', 'no such index any more');
is(statistics(), 'ads_volkswagen: 0 missing, coarse; ads_volkswagen_mobile: 0 missing, rough', 'all columns still have statistics, the partition fewer');
ok($etl->wait_until($changes), 'autovacuum will refine them');

$etl->sql('ALTER DATABASE postgres SET etl.statistics_target = -1');
$etl->sql("CREATE INDEX a_seen ON $mart (public.seen(lid))");
seed('fine', workers => 2);
is(statistics(), 'ads_volkswagen: 0 missing, fine; ads_volkswagen_mobile: 0 missing, fine', 'as fine as default_statistics_target');
is(statistics_of_index(), 't', 'what an index computes has statistics');
$etl->same_mart('in the end');
done_testing();
