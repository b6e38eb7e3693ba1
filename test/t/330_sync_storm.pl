# Syncs while others write: twenty rounds of random changes in all sources, each with a sync beside the writers and one after they
# have come to rest, whose mart must be that of a first run; some are broken off by kill -9 or cancelled, and go on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IPC::Run;
use PgEtl;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = $ENV{ROUNDS} // 20;
my $seed = $ENV{SEED} // 20261128;
srand($seed);
note("SEED=$seed");
my $etl = PgEtl->new('sync_storm', rows => 1500, register => 0,
	conf => "shared_buffers = 128MB\nautovacuum = off\netl.sync_overlap = 0\netl.chunk_target = 50ms\n");
$etl->add_portal($_) for @{ $etl->{portals} };
$etl->sql("SELECT etl_watch_prices('$_')") for @{ $etl->{portals} };
$etl->register_make;
ok($etl->wait_for_run($etl->seed(workers => 2), 'published'), 'seeded');
$etl->legacy;

sub pick { return $_[ int(rand(@_)) ] }

# One transaction's worth of a random change; what it is of is chosen by the lid.
sub change
{
	my $portal = pick(@{ $etl->{portals} });
	my ($by, $rest) = (pick(7, 20, 53), int(rand(7)));
	my $some = "abs(lid % $by) = $rest";
	return pick(
		"UPDATE raw.full_auto_$portal SET price = lid % 1000, vin = reverse(vin), seals = to_jsonb(ARRAY[title]), modified = now()
		   WHERE $some",
		"UPDATE raw.full_auto_$portal SET acc_id = acc_id % 90 + 1, modified = now() WHERE $some",
		"UPDATE raw.stat_auto_$portal SET last_visible = last_visible + interval '40 days', price_first = NULL, modified = now()
		   WHERE $some AND isfinite(last_visible)",
		"UPDATE raw.cust_auto_$portal SET name = name || '.', modified = now() WHERE acc_id % $by = $rest",
		"UPDATE mapping.lot_volkswagen SET model = CASE WHEN model IS NULL THEN 'Golf' END, modified = now() WHERE $some",
		"UPDATE mapping.lot_volkswagen SET currency = 'CHF', country = 'DE', article_type = 'bus', modified = now() WHERE $some",
		"INSERT INTO raw.prices_auto_$portal SELECT lid, lid % 500, date '2015-01-01' + (lid % 4000)::int
		   FROM raw.full_auto_$portal WHERE $some",
		"DELETE FROM raw.prices_auto_$portal WHERE $some AND dt < '2019-06-01'",
		"DELETE FROM raw.prices_auto_$portal WHERE $some",
		"UPDATE raw.currency_rates SET rate = rate * 1.01 WHERE currency = 'CHF' AND valid_from > '2022-01-01' AND rate < 100",
		"INSERT INTO raw.currency_rates VALUES ('DE', 'PLN', date '2019-01-01' + $by * $rest, 0.$by)
		   ON CONFLICT (country, currency, valid_from) DO UPDATE SET rate = excluded.rate");
}

# A psql that runs a script by itself; deadlocks, and a server that is killed, end a transaction or all of it.
my $dir = PostgreSQL::Test::Utils::tempdir();
my $sessions = 0;
sub session
{
	my ($script) = @_;
	my $file = "$dir/" . ++$sessions . '.sql';
	PostgreSQL::Test::Utils::append_to_file($file, $script);
	return { psql => IPC::Run::start([ qw(psql -X -q -d), $etl->node->connstr($etl->{database}), '-f', $file ],
			'<', '/dev/null', '>', '/dev/null', '2>', '/dev/null') };
}

# A writer: transactions of some changes, some rolled back, some that wait in between, so that syncs begin and end within.
sub write_some
{
	my ($transactions) = @_;
	my $script = '';
	for (1 .. $transactions)
	{
		$script .= 'BEGIN; SELECT now();' . join(';', map { change() . '; SELECT pg_sleep(' . rand(0.1) . ')' } 1 .. 1 + rand(2)) . ';'
		  . pick('COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK') . ";\n";
	}
	return session($script);
}

# Keeps syncs from writing to the mart, so that they can be met at it.
sub hold
{
	my $holder = session('BEGIN; LOCK TABLE raw.ads_volkswagen IN SHARE MODE; SELECT pg_sleep(600);');
	$etl->wait_until("SELECT count(*) > 0 FROM pg_locks WHERE relation = 'raw.ads_volkswagen'::regclass AND mode = 'ShareLock' AND granted");
	return $holder;
}

sub let_go
{
	return $etl->sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'raw.ads_volkswagen'::regclass
	                  AND mode = 'ShareLock' AND granted");
}

sub sync { return $etl->sql("SELECT DISTINCT run_id FROM etl_sync('volkswagen', workers => 3)") }

my ($killed, $cancelled) = (0, 0);
for my $round (1 .. $rounds)
{
	my @writers = map { write_some(1 + int(rand(3))) } 1 .. 3;
	sleep rand(0.1);
	my $fate = (qw(none kill none cancel))[ $round % 4 ];
	my $holder = $fate eq 'none' ? undef : hold();
	my $run = sync();
	# Rounds whose changes were all rolled back have nothing to write.
	my $met = $holder && $etl->wait_until("SELECT EXISTS (SELECT FROM etl_runs WHERE run_id = $run AND state = 'done')
	    OR EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'pg_etl worker' AND wait_event_type = 'Lock')");
	if ($fate eq 'kill')
	{
		my ($pid) = $etl->workers($run);
		if ($pid) { kill 'KILL', $pid; $killed++ } # and the server with it, the holder too
		else { let_go() }
		$holder->{psql}->finish;
		$etl->wait_for_server;
	}
	elsif ($fate eq 'cancel')
	{
		$etl->try_sql("SELECT etl_cancel($run)");
		$cancelled++ if $etl->state($run) eq 'cancelled';
		let_go();
		$holder->{psql}->finish;
		is(sync(), $run, "round $round: a cancelled sync is taken up") if $etl->state($run) eq 'cancelled';
	}
	else
	{
		$etl->wait_for_run($run, 'done') or fail("round $round: beside writers");
	}
	$_->{psql}->finish for @writers;
	# Whatever is left of it, and then one that begins when all is at rest.
	$etl->wait_for_run(sync(), 'done') or fail("round $round: going on");
	ok($etl->wait_for_run(sync(), 'done'), "round $round ($fate): done");
	next if $round % 4 and $round != $rounds;
	$etl->sql('DROP TABLE IF EXISTS legacy.ads_volkswagen');
	$etl->same_mart("round $round");
}
cmp_ok($killed, '>', 2, 'workers were killed while they wrote') if $rounds >= 20;
cmp_ok($cancelled, '>', 2, 'syncs were cancelled while they wrote') if $rounds >= 20;
note("$killed killed, $cancelled cancelled");
$etl->node->stop;
done_testing();
