# A PgEtl whose runs can be held in a phase, and whose server can be broken there. Nothing in the product knows of it:
# the template and an index of the mart call functions that wait for an advisory lock, and publish waits for readers.
#
#   my $etl = PgEtl::Faults->new('faults');
#   my $run = $etl->hold('load', workers => 2);   # a run of which at least one worker waits in a load task
#   my %flying = $etl->in_flight($run);
#   $etl->break('kill a worker', $run);
#   $etl->release;
package PgEtl::Faults;

use strict;
use warnings;
use parent 'PgEtl';
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my %gate = (load => 1, index => 2);

# Options are those of PgEtl; preload => 1 adds the launcher; template => SQL to put in place of the ads template's
# condition on the gate.
sub new
{
	my ($class, $name, %option) = @_;
	my $conf = "etl.publish_lock_timeout = 300ms\nlog_line_prefix = '%m [%p] %e %b %a '\n" . ($option{conf} // '');
	$conf .= "shared_preload_libraries = 'pg_etl'\netl.databases = 'postgres'\n" if $option{preload};
	my $self = $class->SUPER::new($name, rows => 600, portals => [qw(mobile autoscout)], %option, register => 0,
		conf => $conf);
	$self->add_gates;
	$self->add_portal($_) for @{ $self->{portals} };
	$self->make_gated('gated');
	$self->legacy;
	return $self;
}

# The gates bar the upper half of the lids, so that some tasks are done when a run is held.
sub add_gates
{
	my $self = shift;
	my $middle = $self->sql("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY lid) FROM mapping.lot_$self->{make}");
	for my $phase (sort keys %gate)
	{
		my $kind = $phase eq 'index' ? 'IMMUTABLE' : 'STABLE';
		$self->sql(<<"SQL");
CREATE FUNCTION public.${phase}_gate(lid bigint) RETURNS boolean LANGUAGE plpgsql $kind AS \$\$
BEGIN
    IF lid >= $middle THEN
        PERFORM pg_catalog.pg_advisory_xact_lock_shared($gate{$phase});
    END IF;
    RETURN true;
END \$\$
SQL
	}
	$self->set_template('gated', 'public.load_gate(ads.lid)');
	return;
}

# A template: the shipped one with a further condition.
sub set_template
{
	my ($self, $name, $condition) = @_;
	return $self->sql("SELECT etl_set_template('$name', (SELECT query || ' AND $condition' FROM etl.template
	                                                     WHERE name = 'ads'))");
}

# The make with this template, and an index that is built through its gate.
sub make_gated
{
	my ($self, $template) = @_;
	$self->register_make(template => "'$template'");
	return $self->sql("CREATE INDEX held ON raw.ads_$self->{make} (public.index_gate(lid))");
}

sub session
{
	my $self = shift;
	my $session = $self->node->background_psql($self->{database}, on_error_stop => 0);
	$session->set_query_timer_restart;
	return $session;
}

# Bars a phase: load, index or publish, and 'snapshot', which is publish kept waiting by an older snapshot.
sub bar
{
	my ($self, $phase) = @_;
	my $session = $self->{barrier} = $self->session;
	if (my $number = $gate{$phase}) { $session->query_safe("SELECT pg_advisory_lock($number)"); }
	elsif ($phase eq 'publish') { $session->query_safe("BEGIN; SELECT FROM raw.ads_$self->{make} LIMIT 0"); }
	else { $session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1'); }
	return;
}

# Asks for a seed that comes to a stand in that phase, and waits until it stands there; returns its run id.
sub hold
{
	my ($self, $phase, %argument) = @_;
	$self->bar($phase);
	my $run = $self->seed(workers => 2, chunk_rows => 60, %argument);
	$self->wait_until_held($run, $phase);
	return $run;
}

# Until all workers stand still, one of them in a task of that kind.
sub wait_until_held
{
	my ($self, $run, $phase) = @_;
	my $kind = $phase eq 'snapshot' ? 'publish' : $phase;
	my $still = $phase eq 'snapshot' ? "a.state = 'idle'" : "a.wait_event_type = 'Lock'";
	$self->wait_until("SELECT bool_or(t.kind = '$kind') AND bool_and(COALESCE($still AND t.state = 'running', false))
	                   FROM pg_stat_activity a LEFT JOIN etl_tasks t ON t.pid = a.pid AND t.run_id = $run
	                        AND t.state = 'running'
	                   WHERE a.backend_type = 'pg_etl worker'")
	  or die "run $run did not come to phase $phase";
	return;
}

# Lets the run go on; the session that barred it may have died with the server.
sub release
{
	my $self = shift;
	my $session = delete $self->{barrier} or return;
	eval { $session->quit };
	return;
}

# Numbers of the tasks at work.
sub in_flight
{
	my ($self, $run) = @_;
	return map { $_ => 1 } split /\n/, $self->sql("SELECT task_no FROM etl_tasks WHERE run_id = $run AND state = 'running'");
}

# Faults ----------------------------------------------------------------------------------------------------------

my %fault = (
	'kill -9 of a worker' => sub { $_[0]->crash($_[0]->a_worker) },
	'kill -9 of an unrelated backend' => sub {
		my $self = shift;
		my $session = $self->session;
		$self->crash($session->query('SELECT pg_backend_pid()'));
		eval { $session->quit };
	},
	'kill -9 of the postmaster' => sub {
		my $self = shift;
		my @workers = $self->workers;
		$self->node->kill9;
		$self->wait_for_exit(@workers);
		$self->node->start;
	},
	'immediate stop' => sub { $_[0]->restart('immediate') },
	'fast stop' => sub { $_[0]->restart('fast') },
	'terminate' => sub {
		my $self = shift;
		my $worker = $self->a_worker or return;
		$self->sql("SELECT pg_terminate_backend($worker)");
		$self->wait_for_exit($worker);
	},
	'cancel a worker' => sub {
		my $self = shift;
		my $worker = $self->a_worker or return;
		$self->sql("SELECT pg_cancel_backend($worker)");
	},
	'etl_cancel' => sub {
		my ($self, $run) = @_;
		$self->sql("SELECT etl_cancel($run)");
		ok($self->wait_for_no_workers(1), 'workers leave within a second after etl_cancel');
	});

sub faults { return sort keys %fault }

sub break
{
	my ($self, $name, $run) = @_;
	return $fault{$name}->($self, $run);
}

# One of the workers that are at work, if there is any.
sub a_worker
{
	my $self = shift;
	my @workers = $self->workers;
	return $workers[ rand @workers ];
}

# Kills one process of this server, if there is one, and waits until the server has come back from that.
sub crash
{
	my ($self, $pid) = @_;
	my @all = split /\n/, $self->sql("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()
	                                  AND backend_type IN ('client backend', 'pg_etl worker', 'checkpointer')");
	my $read = -s $self->node->logfile;
	return if !$pid or !kill 'KILL', $pid;
	$self->wait_for_exit($pid);
	# It may have been on its way out, and nobody minded.
	for (1 .. 20)
	{
		last if slurp_file($self->node->logfile, $read) =~ /PID $pid\) was terminated by signal 9/;
		return if $_ == 20;
		sleep 0.02;
	}
	$self->wait_for_exit(@all);
	$self->wait_for_server;
	return;
}

sub restart
{
	my ($self, $mode) = @_;
	my @workers = $self->workers;
	$self->node->stop($mode);
	$self->wait_for_exit(@workers);
	$self->node->start;
	return;
}

# Waits until these processes are gone; fails if they stay for more than a few seconds.
sub wait_for_exit
{
	my ($self, @pids) = @_;
	my $until = time + 10;
	while (my @left = grep { kill 0, $_ } @pids)
	{
		if (time > $until)
		{
			fail("processes @left leave");
			return 0;
		}
		sleep 0.01;
	}
	return 1;
}

# Tests -----------------------------------------------------------------------------------------------------------

# What must be true of a published run, whatever happened on its way. flying: tasks that may have had more attempts.
sub is_whole
{
	my ($self, $run, $name, %flying) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($self->wait_for_run($run, 'published'), "$name: published");
	$self->same_mart($name);
	is($self->sql("SELECT count(*) - count(DISTINCT (lid, portal)) FROM raw.ads_$self->{make}"), 0, "$name: every lid once");
	my @again = grep { !$flying{$_} }
	  split /\n/, $self->sql("SELECT task_no FROM etl_tasks WHERE run_id = $run AND attempts > 1");
	is("@again", '', "$name: only tasks in flight were repeated");
	$self->left_nothing($run, $name);
	return;
}

# No worker, lock, staging table or prepared transaction stays behind; nothing in the catalog is at work.
sub left_nothing
{
	my ($self, $run, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($self->wait_for_no_workers(1), "$name: workers leave within a second");
	is( $self->sql(<<"SQL"), '', "$name: nothing is left");
SELECT 'lock ' || l::text FROM pg_locks l WHERE locktype = 'advisory' AND objsubid > 2
UNION ALL SELECT 'prepared ' || gid FROM pg_prepared_xacts
UNION ALL SELECT 'staging table ' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = 'raw' AND c.relkind = 'r' AND NOT c.relispartition
          AND c.relname LIKE 'ads\\_%' AND c.relname NOT LIKE '%\\_old'
UNION ALL SELECT format('task %s is %s', task_no, state) FROM etl.task WHERE run_id = $run AND state = 'running'
SQL
	return;
}

# The server's log has none of the words of a server in despair.
sub log_is_clean
{
	my ($self, $name, %option) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $bad = 'PANIC|TRAP|XX000|XX001|XX002|signal 11|signal 6|own a lock|leak';
	my @found = grep { /$bad/ and !($option{except} and /$option{except}/) } split /\n/, slurp_file($self->node->logfile);
	is(join("\n", @found[ 0 .. ($#found < 4 ? $#found : 4) ]), '', "$name: no alarm in the server's log");
	return;
}

1;
