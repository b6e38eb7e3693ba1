# The same as for pages, where a chunk is written by the table's bulk insert.
use strict;
use warnings;
use PgEtl::LargeChunk;
use Test::More;

my $etl = PgEtl::LargeChunk->new('rows_killed', 'rows');
$etl->strike($_) for 'kill -9 of a worker', 'immediate stop';
$etl->has_clean_checksums('in the end');
$etl->log_is_clean('rows killed');
done_testing();
