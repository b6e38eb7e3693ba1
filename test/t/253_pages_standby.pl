# A standby replays chunks written as whole pages, each page compared with the primary's; promoted in the middle of one, it
# goes on with the run and ends equal.
use strict;
use warnings;
use PgEtl::LargeChunk;
use Test::More;

my $etl = PgEtl::LargeChunk->new('primary', 'pages',
	conf => "wal_level = replica\nmax_wal_senders = 4\nwal_consistency_checking = 'all'\n");
my $primary = $etl->node;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

my $run = $etl->hold_half('first');
$etl->go_on($run, 'first');
$etl->is_whole($run, 'first');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
{
	local $etl->{node} = $standby;
	$etl->same_mart('on the standby');
}

$run = $etl->hold_half('second');
my %flying = $etl->in_flight($run);
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('flush'));
$primary->stop('immediate');
$standby->promote;
$etl->{node} = $standby;
is($etl->sql('SELECT count(*) FROM ' . $etl->staging), 0, 'promoted in mid-chunk: nobody sees a row of it');
cmp_ok($etl->sql("SELECT pg_relation_size('" . $etl->staging . "')"), '>=', 4 << 20, 'but it is there');
$etl->go_on($run, 'promoted');
$etl->is_whole($run, 'promoted', %flying);
$etl->is_sound('promoted');
$etl->has_clean_checksums('promoted');
$etl->log_is_clean('promoted');
done_testing();
