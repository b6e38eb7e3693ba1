# Every fault in every phase of a run, without the launcher: after the fault a second request finds the same run, and the
# mart comes out as the legacy pipeline makes it.
use strict;
use warnings;
use PgEtl::Faults;
use Test::More;

my $etl = PgEtl::Faults->new('faults');
my ($only_phase, $only_fault) = split /:/, $ENV{ONLY} // '';

for my $phase ($only_phase || qw(load index publish))
{
	for my $fault ($only_fault || $etl->faults)
	{
		my $name = "$fault in $phase";
		my $run = $etl->hold($phase);
		my %flying = $etl->in_flight($run);
		$etl->break($fault, $run);
		is($etl->state($run), 'cancelled', "$name: cancelled") if $fault eq 'etl_cancel';
		$etl->wait_until("SELECT count(*) > 0 FROM etl_tasks WHERE run_id = $run AND sqlstate = '57014'")
		  if $fault eq 'cancel a worker';

		if (my @workers = $etl->workers) { pass("$name: others go on") }
		else
		{
			like($etl->state($run), qr/^(queued|cancelled)$/, "$name: no state is claimed that nobody works at");
			my %claimed = $etl->in_flight($run);
			is(join(' ', keys %claimed), '', "$name: nor of a task");
		}
		# The barrier goes with the server, or now.
		$etl->release;
		is($etl->seed, $run, "$name: a second request finds the run") if $etl->state($run) ne 'published';
		$etl->is_whole($run, $name, %flying);
		my $suspicions = $etl->sql("SELECT sum(crashes) FROM etl_tasks WHERE run_id = $run");
		is($suspicions, 0, "$name: an error of the task's own is no suspicion") if $fault =~ /cancel/;
	}
}
$etl->log_is_clean('faults');
done_testing();
