# A sync asked for during a seed of the same make, and a seed during a sync: the second waits, says so, goes on, and the mart
# is what the sources say, whatever became of the first.
use strict;
use warnings;
use PgEtl::Faults;
use Test::More;

my $etl = PgEtl::Faults->new('sync_turns', conf => "etl.max_workers = 6\netl.sync_overlap = 0\n");
ok($etl->wait_for_run($etl->seed), 'a mart');
my $round = 0;

# Changes a twentieth of the listings, at both ends of the lids.
sub change
{
	$round++;
	return $etl->sql(<<"SQL");
UPDATE raw.full_auto_mobile SET title = 'round $round', modified = now() WHERE lid % 20 = $round;
UPDATE mapping.lot_volkswagen SET model = CASE WHEN lid % 3 = 0 THEN NULL ELSE model END, trim = 'round $round', modified = now()
WHERE lid % 20 = $round + 5;
SQL
}

# Asks for a run, which is to wait for that one, and returns its number.
sub ask_behind
{
	my ($function, $first, $name) = @_;
	my ($code, $run, $notice) = $etl->try_sql("SELECT DISTINCT run_id FROM $function('volkswagen', workers => 2)");
	like($notice, qr/NOTICE:  run $run waits for run $first of the same make, which is \w+/, "$name: the request says that it waits");
	$etl->wait_until("SELECT workers = 0 FROM etl_progress WHERE run_id = $run");
	is($etl->sql("SELECT state || '|' || waiting_for FROM etl_progress WHERE run_id = $run"), "queued|run $first of the same make",
		"$name: so does etl_progress");
	is($etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $run AND (state = 'running'
	              OR started_at > (SELECT min(started_at) FROM etl_tasks WHERE run_id = $first))"), 0, "$name: nothing of it begins");
	return $run;
}

# A sync of which at least one worker stands still.
sub hold_sync
{
	$etl->bar('load');
	my $run = $etl->sql("SELECT DISTINCT run_id FROM etl_sync('volkswagen', workers => 2)");
	$etl->wait_until("SELECT count(*) > 0 FROM etl_tasks t JOIN pg_stat_activity a USING (pid) WHERE t.run_id = $run
	                  AND t.state = 'running' AND a.wait_event_type = 'Lock'") or die "run $run was not held";
	return $run;
}

sub equal
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$etl->sql('DROP TABLE IF EXISTS legacy.ads_volkswagen');
	$etl->same_mart($name);
	return;
}

sub went_before
{
	my ($first, $second, $name) = @_;
	return is($etl->sql("SELECT max(a.ended_at) < min(b.started_at) FROM etl_tasks a, etl_tasks b
	              WHERE a.run_id = $first AND b.run_id = $second"), 't', "$name: one after the other");
}

# Seed, then sync: of the partitions that the seed has put in place.
my $seed = $etl->hold('load');
change();
my $sync = ask_behind('etl_sync', $seed, 'sync behind a seed');
change();
$etl->release;
ok($etl->wait_for_run($_), "sync behind a seed: run $_ ends") for $seed, $sync;
went_before($seed, $sync, 'sync behind a seed');
is($etl->sql("SELECT count(*) FROM etl.run_portal p JOIN pg_partition_tree('raw.ads_volkswagen') t ON t.relid = p.staging
              WHERE p.run_id = $sync"), 2, 'sync behind a seed: it worked at the new partitions');
equal('sync behind a seed');

# Sync, then seed.
change();
$sync = hold_sync();
$seed = ask_behind('etl_seed', $sync, 'seed behind a sync');
change();
$etl->release;
ok($etl->wait_for_run($_), "seed behind a sync: run $_ ends") for $sync, $seed;
went_before($sync, $seed, 'seed behind a sync');
equal('seed behind a sync');

# Cancel of the first.
change();
$sync = hold_sync();
$seed = ask_behind('etl_seed', $sync, 'sync cancelled');
$etl->sql("SELECT etl_cancel($sync)");
$etl->release;
ok($etl->wait_for_run($seed), 'sync cancelled: the seed goes on');
equal('sync cancelled');
my $next = $etl->sql("SELECT DISTINCT run_id FROM etl_sync('volkswagen')");
isnt($next, $sync, 'a cancelled sync is not taken up for other partitions');
ok($etl->wait_for_run($next), 'but a new one');

$seed = $etl->hold('load');
change();
$sync = ask_behind('etl_sync', $seed, 'seed cancelled');
$etl->sql("SELECT etl_cancel($seed)");
$etl->release;
ok($etl->wait_for_run($sync), 'seed cancelled: the sync goes on');
equal('seed cancelled');
ok($etl->wait_for_run($etl->seed), 'the cancelled seed is taken up again');

# All workers are killed in between; the second is waited for.
change();
$sync = hold_sync();
$seed = ask_behind('etl_seed', $sync, 'sync killed');
$etl->crash($etl->a_worker);
$etl->release;
$etl->sql("CALL etl_wait($seed, '60 s')");
is($etl->state($sync), 'done', 'sync killed: it is done first');
went_before($sync, $seed, 'sync killed');
equal('sync killed');

$seed = $etl->hold('load');
change();
$sync = ask_behind('etl_sync', $seed, 'seed killed');
change();
$etl->crash($etl->a_worker);
$etl->release;
$etl->sql("CALL etl_wait($sync, '60 s')");
is($etl->state($seed), 'published', 'seed killed: it is published first');
went_before($seed, $sync, 'seed killed');
equal('seed killed');

# A sync half done, then cancelled and taken up again, waits behind a seed: it begins anew with the partitions of that.
change();
$sync = hold_sync();
$etl->sql("SELECT etl_cancel($sync)");
$etl->release;
$etl->wait_for_no_workers;
change();
$seed = $etl->hold('load');
is(ask_behind('etl_sync', $seed, 'taken up again'), $sync, 'taken up again: it is the old one');
$etl->release;
ok($etl->wait_for_run($_), "taken up again: run $_ ends") for $seed, $sync;
equal('taken up again');

# The same, paused while it waits: what it was at work at before is replaced until it is resumed.
change();
$sync = hold_sync();
$etl->sql("SELECT etl_cancel($sync)");
$etl->release;
$etl->wait_for_no_workers;
$seed = $etl->hold('load');
is(ask_behind('etl_sync', $seed, 'paused'), $sync, 'paused: it is the old one');
$etl->sql("SELECT etl_pause($sync)");
$etl->release;
ok($etl->wait_for_run($seed), 'paused: the seed ends');
change();
$etl->sql("SELECT etl_resume($sync)");
ok($etl->wait_for_run($sync), 'paused: the sync ends');
equal('paused');
change();
$sync = $etl->sql("SELECT DISTINCT run_id FROM etl_sync('volkswagen')");
ok($etl->wait_for_run($sync), 'a last sync');
equal('a last sync');

# A verification behind a seed looks at what the seed has put in place, and a repair mends that.
$seed = $etl->hold('load', chunk_rows => 100);
my ($code, $verify, $notice) = $etl->try_sql("SELECT DISTINCT run_id FROM etl_verify('volkswagen', 'digest', true)");
like($notice, qr/run $verify waits for run $seed of the same make/, 'verify behind a seed: the request says that it waits');
$etl->release;
ok($etl->wait_for_run($_), "verify behind a seed: run $_ ends") for $seed, $verify;
is($etl->sql("SELECT count(*) FROM etl_differences($verify)"), 0, 'verify behind a seed: it finds nothing');
is($etl->sql("SELECT count(*) FROM etl.run_portal p JOIN pg_partition_tree('raw.ads_volkswagen') t ON t.relid = p.staging
              WHERE p.run_id = $verify"), 2, 'verify behind a seed: in the new partitions');
is($etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $verify AND kind = 'verify'"),
	$etl->sql("SELECT count(*) FROM etl_tasks WHERE run_id = $seed AND kind = 'load'"), 'verify behind a seed: by their ranges');
$etl->left_nothing($sync, 'at the end');
$etl->log_is_clean('sync_turns');
done_testing();
