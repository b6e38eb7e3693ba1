# Long values that the sources have out of line are copied as they are stored, past the toaster, in each way to write a
# chunk: the mart's rows own their copies, in memory, in the log, and after recovery.
use strict;
use warnings;
use PgEtl;
use Test::More;

my $etl = PgEtl->new('long_values', rows => 1500, portals => ['mobile'], register => 0, initdb => ['--data-checksums'],
	conf => "wal_level = replica\nmax_replication_slots = 4\nmax_wal_senders = 4\nautovacuum = off\nwal_consistency_checking = 'all'\n");
$etl->sql('CREATE EXTENSION pg_walinspect');
my $source = 'raw.full_auto_mobile';
my $partition = 'raw.ads_volkswagen_mobile';
# Incompressible and out of line; compressed and out of line; two in a row; and what is out of line but short, which in the
# mart is in the row.
$etl->sql(<<"SQL");
CREATE FUNCTION noise(bigint, integer) RETURNS text IMMUTABLE LANGUAGE sql AS
'SELECT string_agg(chr(40 + (hashint8extended(\$1, i) & 31)::integer), '''') FROM generate_series(1, \$2) i';
UPDATE $source SET description = CASE lid % 5 WHEN 0 THEN noise(lid, 6000) WHEN 1 THEN repeat(noise(lid, 4000), 9) ELSE left(description, 500) END,
    title = CASE WHEN lid % 10 = 0 THEN noise(-lid, 5000) ELSE title END;
ALTER TABLE $source ALTER title SET STORAGE EXTERNAL, SET (toast_tuple_target = 128);
UPDATE $source SET title = noise(lid, 300) WHERE lid % 5 = 2;
SQL
$etl->register;

sub toast_table
{
	my ($table) = @_;
	return $etl->sql("SELECT reltoastrelid::regclass FROM pg_class WHERE oid = '$table'::regclass");
}

# Rows with a value that is stored otherwise than in the source; values in the mart's TOAST table that no row has.
sub looks_like_source
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $toast = toast_table($partition);
	is($etl->sql("SELECT count(*) FILTER (WHERE pg_column_size(m.description) <> pg_column_size(s.description)
	                  OR pg_column_compression(m.description) IS DISTINCT FROM pg_column_compression(s.description)
	                  OR pg_column_size(m.title) <> pg_column_size(s.title)) AS differing, count(*) > 100
	              FROM $partition m JOIN $source s USING (lid) WHERE lid % 5 IN (0, 1)"), '0|t', "$name: long values are stored as in the source");
	is($etl->sql("SELECT count(DISTINCT chunk_id) = (SELECT count(*) FILTER (WHERE lid % 5 IN (0, 1) AND length(description) > 5000)
	                  + count(*) FILTER (WHERE length(title) > 4000) FROM $partition) FROM $toast"), 't', "$name: each has its copy, and no other is there");
	return;
}

for my $mode (qw(rows pages))
{
	$etl->sql("ALTER DATABASE postgres SET etl.write_mode = '$mode'");
	my $from = $etl->sql('SELECT pg_current_wal_insert_lsn()');
	ok($etl->wait_for_run($etl->seed(workers => 2, chunk_rows => 200)), "$mode: published");
	$etl->same_mart($mode);
	looks_like_source($mode);
	is($etl->sql("SELECT count(*) > 0 FROM pg_get_wal_records_info('$from', pg_current_wal_flush_lsn()) w
	              WHERE resource_manager = 'Heap' AND record_type LIKE 'INSERT%'
	                AND w.block_ref LIKE '%/' || pg_relation_filenode('$partition') || ' fork main%'"),
		$mode eq 'rows' ? 't' : 'f', "$mode: rows with such values are written one by one, or with all others");
	is($etl->sql("SELECT n_tup_ins = (SELECT count(*) FROM $partition) FROM pg_stat_user_tables WHERE relid = '$partition'::regclass"),
		't', "$mode: rows are counted once") if $etl->wait_until("SELECT n_tup_ins > 0 FROM pg_stat_user_tables WHERE relid = '$partition'::regclass");
	# The log alone brings them back, each page as it was.
	$etl->node->stop('immediate');
	$etl->node->start;
	$etl->same_mart("$mode, recovered");
	looks_like_source("$mode, recovered");
	$etl->is_sound("$mode, recovered");
	# Rows take their values with them.
	my $toast = toast_table($partition);
	$etl->sql("DELETE FROM $partition");
	$etl->sql("VACUUM $partition");
	is($etl->sql("SELECT count(*) FROM $toast"), 0, "$mode: deleted rows leave no values");
}

# Decoding puts each value together.
$etl->sql('ALTER DATABASE postgres RESET etl.write_mode');
$etl->sql("ALTER SYSTEM SET wal_level = logical");
$etl->node->restart;
$etl->sql("SELECT pg_create_logical_replication_slot('watcher', 'test_decoding')");
ok($etl->wait_for_run($etl->seed(workers => 2, chunk_rows => 200)), 'decoded: published');
$etl->sql("CREATE TABLE changes AS SELECT substring(data from 'lid\\[bigint\\]:(-?\\d+)')::bigint AS lid, data
           FROM pg_logical_slot_get_changes('watcher', NULL, NULL) WHERE data ~ '^table raw.ads_volkswagen_\\w+: INSERT:'");
is($etl->sql("SELECT count(*) = (SELECT count(*) FROM changes), bool_and(position('description[text]:' || '''' || replace(description, '''', '''''') || '''' IN data) > 0),
                  bool_and(position('title[text]:' || '''' || replace(title, '''', '''''') || '''' IN data) > 0), count(*) FILTER (WHERE length(title) > 4000) > 10
              FROM $partition m JOIN changes USING (lid)"), 't|t|t|t', 'decoding sees each row with its values');
$etl->sql("DELETE FROM $source");
$etl->sql("VACUUM $source");
is($etl->sql("SELECT min(length(description)) FROM $partition WHERE lid % 5 IN (0, 1)"), 6000, "nothing of the mart hangs on the source's values");
$etl->has_clean_checksums('in the end');
done_testing();
