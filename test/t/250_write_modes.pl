# Each way to write a chunk gives the same mart: in small and in large chunks, by several workers at once, with values too
# large for a row, beside readers and VACUUM of the half-loaded table, and under logical decoding.
use strict;
use warnings;
use PgEtl;
use Test::More;

my $etl = PgEtl->new('write_modes', rows => 3000, portals => [qw(mobile autoscout)], register => 0,
	initdb => ['--data-checksums'], conf => "wal_level = replica\nmax_replication_slots = 4\nmax_wal_senders = 4\nautovacuum_naptime = 1s\nautovacuum = off\n");
$etl->sql('CREATE EXTENSION pg_walinspect');
# Titles that stay in the row, that are moved out of it, and that do not fit unless they are compressed.
$etl->sql(<<'SQL');
UPDATE raw.full_auto_mobile SET description = (SELECT string_agg(md5(lid::text || i), '') FROM generate_series(1, 60) i)
WHERE lid % 7 = 0;
UPDATE raw.full_auto_mobile SET title = repeat(title, 400) WHERE lid % 11 = 0;
UPDATE raw.full_auto_autoscout SET seals = (SELECT jsonb_agg(md5(lid::text || i)) FROM generate_series(1, 90) i)
WHERE lid % 13 = 0;
SQL
$etl->register;

sub write_by
{
	my ($mode) = @_;
	return $etl->sql("ALTER DATABASE postgres SET etl.write_mode = '$mode'");
}

# Seeds anew; returns how many records of rows and how many images of pages the log has of the mart's heaps.
sub seed
{
	my ($name, %argument) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $from = $etl->sql('SELECT pg_current_wal_insert_lsn()');
	ok($etl->wait_for_run($etl->seed(%argument)), "$name: published");
	$etl->same_mart($name);
	return $etl->sql(<<"SQL");
SELECT count(*) FILTER (WHERE record_type LIKE 'MULTI_INSERT%') > 0, count(*) FILTER (WHERE record_type = 'FPI') > 0
FROM pg_get_wal_records_info('$from', pg_current_wal_flush_lsn()) w
WHERE resource_manager IN ('XLOG', 'Heap2') AND EXISTS (SELECT FROM pg_partition_tree('raw.ads_volkswagen') t
    WHERE t.isleaf AND w.block_ref LIKE '%/' || pg_relation_filenode(t.relid) || ' fork main%')
SQL
}

for my $mode (qw(rows pages))
{
	write_by($mode);
	my $used = $mode eq 'rows' ? 't|f' : 'f|t';
	is(seed("$mode, one chunk", workers => 1, chunk_rows => 1000000), $used, "$mode: that way is taken");
	is(seed("$mode, many chunks", workers => 4, chunk_rows => 100), $used, "$mode: by all workers");
	cmp_ok($etl->sql("SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'raw.ads_volkswagen_mobile'::regclass"),
		'>', 0, "$mode: there were values to move out of rows");
	$etl->is_sound($mode);
	my $rows = $etl->sql('SELECT count(*) FROM raw.ads_volkswagen_mobile');
	is( $etl->sql("SELECT n_tup_ins, n_live_tup FROM pg_stat_user_tables
	               WHERE relid = 'raw.ads_volkswagen_mobile'::regclass"), "$rows|$rows", "$mode: rows are counted");
}

# Pages that the table was extended by for a chunk, and that it did not fill, are offered to whoever inserts next.
{
	write_by('rows');
	$etl->sql('CREATE EXTENSION pg_freespacemap');
	ok($etl->wait_for_run($etl->seed(workers => 1, chunk_rows => 1000000)), 'rows: a table of one chunk');
	my ($pages, $empty, $offered) = split /\|/, $etl->sql(<<'SQL');
SELECT count(*), count(*) FILTER (WHERE is_empty), count(*) FILTER (WHERE is_empty AND avail > 8000)
FROM pg_freespace('raw.ads_volkswagen_mobile') f,
     LATERAL (SELECT NOT EXISTS (SELECT FROM raw.ads_volkswagen_mobile
         WHERE ctid >= format('(%s,0)', f.blkno)::tid AND ctid < format('(%s,0)', f.blkno + 1)::tid)) e (is_empty)
SQL
	cmp_ok($pages, '>', 100, 'of many pages');
	cmp_ok($empty, '<', 64, 'has few empty ones');
	is($offered, $empty, 'which are in the free space map');
}

# The log of pages is hardly larger than that of COPY, whose records hold less of each row.
{
	my $log_of = sub {
		my ($statement) = @_;
		my $from = $etl->sql('SELECT pg_current_wal_insert_lsn()');
		$statement->();
		return $from;
	};
	my $sizes = sub {
		my ($from, $table) = @_;
		return $etl->sql(<<"SQL");
SELECT sum(record_length) FROM pg_get_wal_records_info('$from', pg_current_wal_flush_lsn()) w
WHERE w.block_ref LIKE '%/' || pg_relation_filenode('$table') || ' fork main%' AND record_type ~ 'FPI|MULTI_INSERT'
SQL
	};
	my $from = $log_of->(sub { $etl->wait_for_run($etl->seed(workers => 2)) });
	my $pages = $sizes->($from, 'raw.ads_volkswagen_autoscout');
	$etl->sql("CREATE TABLE copied (LIKE raw.ads_volkswagen_autoscout)");
	my $file = PostgreSQL::Test::Utils::tempdir() . '/mart';
	$etl->sql("COPY raw.ads_volkswagen_autoscout TO '$file'");
	$from = $log_of->(sub { $etl->sql("COPY copied FROM '$file'") });
	my $rows = $sizes->($from, 'copied');
	cmp_ok($pages, '<=', 1.05 * $rows, "no more than 1.05 times the log of COPY") or diag("$pages, $rows");
}

# Others read and vacuum the table that fills, autovacuum too, and put rows of their own at its end, of which they think better.
$etl->sql('ALTER SYSTEM SET autovacuum = on');
$etl->sql('SELECT pg_reload_conf()');
for my $mode (qw(rows pages))
{
	write_by($mode);
	my $run = $etl->sql("SELECT DISTINCT run_id FROM etl_seed('volkswagen', workers => 3, chunk_rows => 100)");
	my $looks = 0;
	while (($etl->state($run) // '') =~ /queued|running/)
	{
		my ($code) = $etl->try_sql(<<'SQL');
SELECT format(s, c.oid::regclass) FROM pg_class c, (VALUES (1, 'SELECT count(*) FROM %s'), (2, 'BEGIN'),
    (3, 'INSERT INTO %s SELECT * FROM raw.ads_volkswagen_mobile LIMIT 30'), (4, 'ROLLBACK'), (5, 'VACUUM %s')) v (n, s)
WHERE c.relname ~ '^ads_volkswagen_.*_r[0-9]+$' AND c.relkind = 'r' ORDER BY c.oid, n \gexec
SQL
		$looks++ if $code == 0;
	}
	ok($etl->wait_for_run($run), "$mode, beside readers and VACUUM: published");
	cmp_ok($looks, '>', 0, "$mode: they did look");
	$etl->same_mart("$mode, beside readers and VACUUM");
	$etl->is_sound("$mode, beside readers and VACUUM");
}

# Decoding sees each row once.
$etl->sql("ALTER SYSTEM SET wal_level = logical");
$etl->node->restart;
$etl->sql("SELECT pg_create_logical_replication_slot('watcher', 'test_decoding')");
is(seed('decoded', workers => 3, chunk_rows => 500), 't|f', 'under wal_level = logical rows are written as rows');
is( $etl->sql("SELECT count(*) = (SELECT count(*) FROM raw.ads_volkswagen) AND count(DISTINCT data) = count(*)
               FROM pg_logical_slot_get_changes('watcher', NULL, NULL)
               WHERE data ~ '^table raw.ads_volkswagen_\\w+: INSERT:'"), 't', 'decoding sees each row once');
$etl->has_clean_checksums('in the end');
done_testing();
