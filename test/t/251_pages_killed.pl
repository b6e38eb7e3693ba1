# A worker or the server dies, or the work is broken off, when part of a chunk is in the table as whole pages: what is left of
# it is dead rows, and the mart comes out whole, sound, and with clean checksums.
use strict;
use warnings;
use PgEtl::LargeChunk;
use Test::More;

my $etl = PgEtl::LargeChunk->new('pages_killed', 'pages');
$etl->strike($_) for 'kill -9 of a worker', 'immediate stop', 'cancel a worker', 'etl_cancel';

# Who wants the table alone waits for the chunk.
my $run = $etl->hold_half('alone');
my $staging = $etl->staging;
for my $statement ("TRUNCATE $staging", "DROP TABLE $staging", "CREATE INDEX ON $staging (lid)")
{
	my (undef, undef, $err) = $etl->try_sql("SET lock_timeout = '20ms'; $statement");
	like($err, qr/lock timeout/, "$statement waits");
}
$etl->go_on($run, 'alone');
$etl->is_whole($run, 'alone');
$etl->has_clean_checksums('in the end');
$etl->log_is_clean('pages killed');
done_testing();
