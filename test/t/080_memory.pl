# The memory of a worker: bounded, and the same after two thousand chunks as after some hundreds.
use strict;
use warnings;
use List::Util qw(max min);
use PgEtl;
use Test::More;
use Time::HiRes qw(sleep);

my $etl = PgEtl->new('memory', rows => 5000, portals => [qw(mobile autoscout)], conf => "work_mem = 4MB\n");

# Private memory of a process in kB, without the pages of shared memory that only it has touched.
sub private_kb
{
	my ($pid) = @_;
	my ($sum, $shared) = (0, 0);
	open(my $maps, '<', "/proc/$pid/smaps") or return undef;
	while (<$maps>)
	{
		$shared = $1 eq 's' if /^[0-9a-f]+-[0-9a-f]+ \S{3}(\S)/;
		$sum += $1 if !$shared and /^Private_(?:Clean|Dirty):\s+(\d+) kB/;
	}
	return $sum;
}

# Seeds with one worker and returns its memory at each 120th of the chunks, once the first were done.
sub measure
{
	my (%argument) = @_;
	my $run = $etl->seed(workers => 1, %argument);
	my ($pid, @sizes);
	my $total = $etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run AND kind = 'load'");
	my $next = $total / 120;
	while (1)
	{
		my ($state, $done, $worker) = split /\|/,
		  $etl->sql("SELECT r.state, count(*) FILTER (WHERE t.kind = 'load' AND t.state = 'done'), max(t.pid)
		                   FROM etl.run r JOIN etl.task t USING (run_id) WHERE run_id = $run GROUP BY r.state");
		last if $state eq 'published' or $state eq 'failed';
		if ($worker and $done >= $next)
		{
			my $size = private_kb($worker);
			push @sizes, $size if $size;
			$next += $total / 120;
		}
		sleep 0.01;
	}
	$etl->wait_for_run($run) or fail("run $run");
	return ($total, @sizes);
}

my ($chunks, @sizes) = measure(chunk_rows => 4);
cmp_ok($chunks, '>', 2000, 'many chunks');
cmp_ok(scalar(@sizes), '>', 10, 'looked often enough') or diag("@sizes");
note("kB at each 120th of $chunks chunks: @sizes");
# Half way, between the portals, come index builds, which need more; and a look may fall into any moment of a chunk.
# A part is several hundred chunks: what is bounded is a growth of 0.9 kB a chunk.
my $bound = 0.9 * $chunks / 4;
my @part = map { my $from = int($_ * @sizes / 4); min(@sizes[ $from + 1 .. $from + @sizes / 4 - 1 ]) } 0 .. 3;
cmp_ok($part[1] - $part[0], '<', $bound, 'no growth over the chunks of the first portal') or diag("@sizes");
cmp_ok($part[3] - $part[2], '<', $bound, 'nor over those of the second') or diag("@sizes");

my (undef, @large) = measure(chunk_rows => 1000000);
note("kB in chunks of a whole portal: @large");
my $most = max(@sizes, @large);
cmp_ok($most, '<', 64 * 1024, 'less than 64 MB, the plans having no node that needs work_mem to speak of');
$etl->same_mart('after that');
done_testing();
