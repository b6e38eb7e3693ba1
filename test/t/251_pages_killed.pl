# A worker or the server dies, or the work is broken off, when part of a chunk is in the table as whole pages: what is left of
# it is dead rows, and the mart comes out whole, sound, and with clean checksums.
use strict;
use warnings;
use PgEtl::LargeChunk;
use PostgreSQL::Test::Utils;
use Test::More;

my $etl = PgEtl::LargeChunk->new('pages_killed', 'pages',
	conf => "log_min_messages = debug1\nlog_checkpoints = on\nwal_writer_delay = 10s\n");

# The first row waits until a checkpoint has synced what the making of the table has left to sync.
my $first = $etl->session;
$first->query_safe('SELECT pg_advisory_lock(3)');
my $run = $etl->hold_start;
$etl->sql('CHECKPOINT');
$first->quit;
my $staging = $etl->staging;
$etl->wait_until("SELECT pg_relation_size('$staging') >= 4 << 20");
is( $etl->sql("SELECT max(h.lsn) <= pg_current_wal_flush_lsn() FROM generate_series(0, 511) b,
               page_header(get_raw_page('$staging', b)) h"), 't', 'the log of pages is on disk before they are in the table');
my $file = $etl->sql("SELECT pg_relation_filepath('$staging')");
my $read = -s $etl->node->logfile;
$etl->sql('CHECKPOINT');
like(slurp_file($etl->node->logfile, $read), qr/checkpoint sync: number=\d+ file=\Q$file\E /, 'a checkpoint syncs them');

# Who wants the table alone waits for the chunk.
for my $statement ("TRUNCATE $staging", "DROP TABLE $staging", "CREATE INDEX ON $staging (lid)")
{
	my (undef, undef, $err) = $etl->try_sql("SET lock_timeout = '20ms'; $statement");
	like($err, qr/lock timeout/, "$statement waits");
}

# The table grows into its next file. What lies between has never been written, and so is no page.
my $path = $etl->node->data_dir . "/$file";
truncate($path, (1 << 30) - 10 * 8192) or die "$path: $!";
$etl->go_on($run, 'alone');
$etl->is_whole($run, 'alone');
cmp_ok(-s "$path.1", '>', 0, 'there is a next file');
$etl->is_sound('in two files');

$etl->strike($_) for 'kill -9 of a worker', 'immediate stop', 'cancel a worker', 'etl_cancel';
$etl->has_clean_checksums('in the end');
$etl->log_is_clean('pages killed');
done_testing();
