# A worker or the server dies, or the work is broken off, when part of a chunk is in the table as whole pages: what is left of
# it is dead rows, and the mart comes out whole, sound, and with clean checksums.
use strict;
use warnings;
use PgEtl::LargeChunk;
use PostgreSQL::Test::Utils;
use Test::More;

my $etl = PgEtl::LargeChunk->new('pages_killed', 'pages', conf => "log_min_messages = debug1\nlog_checkpoints = on\n");
$etl->strike($_) for 'kill -9 of a worker', 'immediate stop', 'cancel a worker', 'etl_cancel';

# The next checkpoint syncs the file, although no page of it went through the buffers.
my $run = $etl->hold_half('alone');
my $staging = $etl->staging;
my $file = $etl->sql("SELECT pg_relation_filepath('$staging')");
my $read = -s $etl->node->logfile;
$etl->sql('CHECKPOINT');
like(slurp_file($etl->node->logfile, $read), qr/checkpoint sync: number=\d+ file=\Q$file\E /, 'a checkpoint syncs the file');

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
$etl->has_clean_checksums('in the end');
$etl->log_is_clean('pages killed');
done_testing();
