# A PostgreSQL server of its own with pg_etl, sources of the legacy system, and the questions that TAP tests ask.
#
#   my $etl = PgEtl->new('kill', rows => 2000);         # server, extension, sources, portals and make
#   my $run = $etl->seed(workers => 2, chunk_rows => 500);
#   $etl->wait_for_task($run, 'load');                  # until a worker is at work on one
#   kill 'KILL', $etl->workers;
#   $etl->wait_for_run($run, 'published');
#   $etl->same_mart('after a kill');                    # two tests: the legacy mart and ours, EXCEPT ALL both ways
package PgEtl;

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our $root = abs_path($ENV{PG_ABS_SRCDIR} // dirname(__FILE__) . '/../..');
my @portals = qw(mobile autoscout kleinanzeigen);
my @ended = qw(published loaded done failed cancelled);

# new(NAME, OPTION => VALUE...): portals, make, country and what else bench/generate.sql knows (rows, events, seed,
# layout, dirt); conf: lines for postgresql.conf; initdb: further options of it; database; sources => 0: a bare server with
# the extension; register => 0: sources, but no portals and make added.
sub new
{
	my ($class, $name, %option) = @_;
	my $self = bless {
		make => 'volkswagen', country => 'DE', portals => [@portals], rows => 1000, events => 5, database => 'postgres',
		sources => 1, register => 1, %option }, $class;

	$self->{node} = PostgreSQL::Test::Cluster->new($name);
	$self->{node}->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8', @{ $option{initdb} // [] } ]);
	$self->{node}->append_conf('postgresql.conf', <<"CONF" . ($option{conf} // ''));
fsync = on            # the tests crash the server; what it lost with fsync off would look like our fault
synchronous_commit = on
restart_after_crash = on
max_worker_processes = 16
max_connections = 40
shared_buffers = 64MB
log_min_messages = warning
log_statement = none
log_line_prefix = '%m [%p] %b %a '
CONF
	$self->{node}->start;
	$self->sql("CREATE DATABASE $self->{database}", 'postgres') if $self->{database} ne 'postgres';
	$self->sql('CREATE EXTENSION pg_etl');
	$self->make_sources if $self->{sources};
	$self->register if $self->{sources} and $self->{register};
	return $self;
}

sub node { return shift->{node} }

# Runs SQL, dies if it fails, returns what it printed (unaligned, tuples only).
sub sql
{
	my ($self, $query, $database) = @_;
	return $self->{node}->safe_psql($database // $self->{database}, $query);
}

# Runs SQL that may fail: (exit code, output, messages).
sub try_sql
{
	my ($self, $query, %option) = @_;
	my ($out, $err) = ('', '');
	my $code = eval {
		$self->{node}->psql($option{database} // $self->{database}, $query, stdout => \$out, stderr => \$err, %option);
	};
	# A psql that finds no server may leave before it has read the query; 2 is its own word for a lost connection.
	return (2, '', $@) if $@ =~ /Broken pipe/;
	die $@ if $@;
	return ($code, $out, $err);
}

# Runs a psql script, given as text or as a file below the root; dies if it fails.
sub script
{
	my ($self, $text, %variable) = @_;
	my @command =
	  ("psql", qw(-X -q -A -t -v ON_ERROR_STOP=1 -d), $self->{node}->connstr($self->{database}));
	push @command, '-v', "$_=$variable{$_}" for sort keys %variable;
	push @command, '-f', $text =~ /\n/ ? '-' : "$root/$text";
	my ($out, $err) = ('', '');
	local $ENV{PGOPTIONS} = join ' ', $ENV{PGOPTIONS} // (), '-c client_min_messages=warning';
	IPC::Run::run(\@command, '<', \($text =~ /\n/ ? $text : ''), '>', \$out, '2>', \$err)
	  or die "psql: $err\n" . substr($text, 0, 2000);
	chomp $out;
	return $out;
}

# What bench/legacy/render prints; a further mart by MART => 'schema.table'.
sub render
{
	my ($self, $verb, $arguments, %environment) = @_;
	local @ENV{ keys %environment } = values %environment;
	my ($out, $err) = ('', '');
	IPC::Run::run([ "$root/bench/legacy/render", $verb, @$arguments ], '>', \$out, '2>', \$err) or die "render: $err";
	return $out;
}

sub make_sources
{
	my $self = shift;
	$self->script($self->render('sources', [ $self->{make}, @{ $self->{portals} } ]) . $self->render('functions', []));
	my %variable = map { $_ => $self->{$_} }
	  grep { defined $self->{$_} } qw(make country rows events seed layout dirt);
	return $self->script('bench/generate.sql', portals => join(',', @{ $self->{portals} }), %variable);
}

sub add_portal
{
	my ($self, $portal) = @_;
	return $self->sql("SELECT etl_add_portal('$portal', 'raw.full_auto_$portal', 'raw.cust_auto_$portal',
	                                         'raw.stat_auto_$portal', 'raw.prices_auto_$portal')");
}

# Adds the portals and the make; further arguments of etl_add_make as SQL: mart => "'raw.other'".
sub register
{
	my ($self, %argument) = @_;
	$self->add_portal($_) for @{ $self->{portals} };
	return $self->register_make(%argument);
}

sub register_make
{
	my ($self, %argument) = @_;
	my $more = join '', map { ", $_ => $argument{$_}" } sort keys %argument;
	return $self->sql("SELECT etl_add_make('$self->{make}', 'mapping.lot_$self->{make}',
	                                       country => '$self->{country}'$more)");
}

# Asks for a seed and returns its run id at once; arguments as SQL: workers => 2, publish => "'manual'".
sub seed
{
	my ($self, %argument) = @_;
	my $more = join '', map { ", $_ => $argument{$_}" } sort keys %argument;
	return $self->sql("SELECT DISTINCT run_id FROM etl_seed('$self->{make}'$more)");
}

# Asks for folds of all portals and returns their run ids.
sub fold
{
	my ($self, %argument) = @_;
	my $more = join '', map { ", $_ => $argument{$_}" } sort keys %argument;
	return map { $self->sql("SELECT DISTINCT run_id FROM etl_fold_prices('$_'$more)") } @{ $self->{portals} };
}

# Polls a query until it prints the expected text ('t'); returns false, and says what it printed, when time is up.
sub wait_until
{
	my ($self, $query, $expected, $seconds) = @_;
	$expected //= 't';
	my $until = time + ($seconds // $PostgreSQL::Test::Utils::timeout_default);
	my ($code, $out, $err);
	while (1)
	{
		($code, $out, $err) = $self->try_sql($query);
		return 1 if $code == 0 and $out eq $expected;
		last if time > $until;
		sleep 0.02;
	}
	diag("waited in vain for '$expected' from: $query\nlast answer: $out\n$err");
	return 0;
}

sub state
{
	my ($self, $run) = @_;
	return $self->sql("SELECT DISTINCT state FROM etl_runs WHERE run_id = $run");
}

# Waits until the run is in one of these states, or has ended otherwise; tells whether it is in one of them.
sub wait_for_run
{
	my ($self, $run, @wanted) = @_;
	@wanted = qw(published done) if !@wanted;
	my $any = join ', ', map { "'$_'" } @wanted, @ended;
	$self->wait_until("SELECT state IN ($any) FROM etl_runs WHERE run_id = $run LIMIT 1");
	my $state = $self->state($run);
	return 1 if grep { $_ eq $state } @wanted;
	diag("run $run is $state, not " . join(' or ', @wanted));
	diag($self->sql("SELECT task_no, kind, portal, state, attempts, error FROM etl_tasks
	                 WHERE run_id = $run AND state <> 'done' ORDER BY task_no LIMIT 20"));
	return 0;
}

# Waits until a task of this kind is being worked at; false if the run ended before that.
sub wait_for_task
{
	my ($self, $run, $kind, $done) = @_;
	$done //= 0;
	my $query = "SELECT CASE WHEN EXISTS (SELECT FROM etl_tasks WHERE run_id = $run AND kind = '$kind'
	                                      AND state = 'running')
	                         AND (SELECT count(*) FROM etl_tasks WHERE run_id = $run AND kind = '$kind'
	                                      AND state = 'done') >= $done THEN 'there'
	                    WHEN EXISTS (SELECT FROM etl_runs WHERE run_id = $run AND state = ANY ('{"
	  . join(',', @ended) . "}')) THEN 'over' ELSE 'not yet' END";
	$self->wait_until("SELECT ($query) <> 'not yet'") or return 0;
	return $self->sql($query) eq 'there';
}

# Process ids of our workers in this database; of those at work on a task of a run with a run id.
sub workers
{
	my ($self, $run) = @_;
	my $query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_etl worker' AND datname = current_database()";
	$query .= " AND pid IN (SELECT pid FROM etl_tasks WHERE run_id = $run AND state = 'running')" if defined $run;
	return split /\n/, $self->sql($query);
}

sub wait_for_no_workers
{
	my ($self, $seconds) = @_;
	return $self->wait_until(
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'pg_etl%' AND backend_type <> 'pg_etl launcher'",
		't', $seconds // 10);
}

# Waits until a crashed server takes connections again.
sub wait_for_server
{
	my $self = shift;
	return $self->wait_until('SELECT true');
}

# Runs the legacy pipeline into legacy.ads_<make>: the first run, or the daily one if that mart has rows.
sub legacy
{
	my $self = shift;
	my $mart = "legacy.ads_$self->{make}";
	$self->script($self->render('mart', [ $self->{make} ], MART => $mart))
	  if $self->sql("SELECT to_regclass('$mart') IS NULL") eq 't';
	return $self->script(
		$self->render('pipeline', [ $self->{make}, $self->{country}, @{ $self->{portals} } ], MART => $mart));
}

# Two tests: no row is only in the legacy mart, none only in ours. Runs the legacy pipeline if nobody has.
sub same_mart
{
	my ($self, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $legacy = "legacy.ads_$self->{make}";
	$self->legacy if $self->sql("SELECT to_regclass('$legacy') IS NULL") eq 't';
	my ($figures, @differences) =
	  split /\n/, $self->script('bench/compare.sql', left => $legacy, right => "raw.ads_$self->{make}");
	my ($legacy_rows, $own_rows, $only_legacy, $only_own) = split /\|/, $figures;
	diag("$legacy_rows rows in the legacy mart, $own_rows in ours\n" . join("\n", @differences)) if @differences;
	cmp_ok($legacy_rows, '>', 0, "$name: there is something to compare") if $legacy_rows == 0;
	is($only_legacy, 0, "$name: no row is only in the legacy mart");
	is($only_own, 0, "$name: no row is only in our mart");
	return;
}

# Four tests: pg_amcheck finds nothing wrong with the mart, dead rows and indexes included; each row says where it is; and the
# checks of the visibility map find nothing once the mart is vacuumed.
sub is_sound
{
	my ($self, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$self->sql("SET client_min_messages = error; CREATE EXTENSION IF NOT EXISTS amcheck;
	            CREATE EXTENSION IF NOT EXISTS pg_visibility; CREATE EXTENSION IF NOT EXISTS pageinspect");
	my $mart = "raw.ads_$self->{make}";
	$self->{node}->command_ok(
		[ 'pg_amcheck', '--heapallindexed', '--no-dependent-indexes', '-d', $self->{database}, '-t', "$mart*", '-i', "$mart*" ],
		"$name: pg_amcheck");
	is($self->sql(<<"SQL"), 0, "$name: rows know their place");
SELECT count(*) FROM pg_partition_tree('$mart') t, pg_class c, generate_series(0, pg_relation_size(c.oid) / 8192 - 1) b,
    heap_page_items(get_raw_page(c.oid::regclass::text, b::int)) r
WHERE t.isleaf AND c.oid = t.relid AND r.lp_flags = 1 AND r.t_ctid <> format('(%s,%s)', b, r.lp)::tid
SQL
	$self->sql("VACUUM $mart");
	for my $check (qw(visible frozen))
	{
		is($self->sql("SELECT count(*) FROM pg_partition_tree('$mart') t, pg_check_$check(t.relid) WHERE t.isleaf"),
			0, "$name: pg_check_$check");
	}
	return;
}

# A test: every page in the server's files has the checksum that it should have. Stops and starts the server.
sub has_clean_checksums
{
	my ($self, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$self->{node}->stop('fast');
	$self->{node}->command_ok([ 'pg_checksums', '--check', '-D', $self->{node}->data_dir ], "$name: pg_checksums");
	$self->{node}->start;
	return;
}

1;
