# With the library preloaded, a run goes on by itself within ten seconds, whatever interrupted it and in which phase.
# Nobody asks for anything here: views have no effects.
use strict;
use warnings;
use PgEtl::Faults;
use Test::More;
use Time::HiRes qw(time);

my $etl = PgEtl::Faults->new('preloaded', preload => 1);
ok($etl->wait_for_run($etl->seed(workers => 2)), 'a first mart, that publishing must replace');

my %phase = (
	'kill -9 of a worker' => [qw(load publish)], 'kill -9 of an unrelated backend' => ['index'],
	'kill -9 of the postmaster' => ['load'], 'immediate stop' => ['index'], 'fast stop' => ['publish'],
	'terminate' => ['load', 'publish']);

for my $fault (sort keys %phase)
{
	for my $phase (@{ $phase{$fault} })
	{
		my $name = "$fault in $phase";
		my $run = $etl->hold($phase, workers => 1);
		my %flying = $etl->in_flight($run);
		$etl->break($fault, $run);
		$etl->release;
		my $from = time;
		ok($etl->wait_until("SELECT state = 'published' FROM etl_runs WHERE run_id = $run", 't', 15), "$name: it goes on");
		cmp_ok(time - $from, '<', 10, "$name: within ten seconds");
		$etl->is_whole($run, $name, %flying);
	}
}

# What was ended, or stopped by somebody, is left alone.
my $runs = $etl->sql('SELECT count(*) FROM etl.run');
my $run = $etl->hold('load');
$etl->sql("SELECT etl_pause($run)");
$etl->break('immediate stop', $run);
$etl->release;
Time::HiRes::sleep(4);
is($etl->state($run), 'paused', 'a paused run stays paused over a restart');
is($etl->sql('SELECT count(*) FROM etl.run'), $runs + 1, 'nothing else starts');
is($etl->sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'pg_etl%'"), 1, 'the launcher is alone');
is($etl->sql("SELECT datname IS NULL FROM pg_stat_activity WHERE backend_type = 'pg_etl launcher'"), 't',
	'and connected to no database');
$etl->log_is_clean('preloaded');
done_testing();
