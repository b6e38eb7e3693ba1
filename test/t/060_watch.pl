# Random writers of a watched price log, with bulk folds in the middle, prepared transactions and kills; and logical
# replication into one. SOAK: seconds of writing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PgEtl;
use POSIX ();
use Test::More;

my $seconds = $ENV{SOAK} // 20;
my $etl = PgEtl->new('watch', sources => 0,
	conf => "max_prepared_transactions = 20\nwal_level = logical\nmax_wal_senders = 4\nmax_replication_slots = 4\ndeadlock_timeout = 200ms\nshared_buffers = 128MB\n");
my $node = $etl->node;

sub make_log
{
	my ($database) = @_;
	$etl->sql(<<'SQL', $database);
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lid bigint, price numeric, dt date);
CREATE INDEX ON log (lid, dt);
CREATE VIEW folded AS
SELECT lid, (array_agg(price ORDER BY dt, price, scale(price)))[1]::text AS first_price, min(dt) AS first_dt,
       (array_agg(price ORDER BY dt DESC, price DESC, scale(price) DESC))[1]::text AS last_price, max(dt) AS last_dt,
       (array_agg(price ORDER BY price, scale(price)))[1]::text AS price_min,
       (array_agg(price ORDER BY price DESC, scale(price) DESC))[1]::text AS price_max
FROM log WHERE lid IS NOT NULL AND price IS NOT NULL AND dt IS NOT NULL GROUP BY lid;
SELECT etl_add_portal('p', 'listing', 'listing', 'listing', 'log');
CREATE VIEW kept AS SELECT lid, first_price::text, first_dt, last_price::text, last_dt, price_min::text, price_max::text FROM price_state_p;
CREATE VIEW different AS (TABLE folded EXCEPT ALL TABLE kept) UNION ALL (TABLE kept EXCEPT ALL TABLE folded);
SQL
	return;
}

sub state_of { return $etl->sql("SELECT state FROM etl_health WHERE subject = 'price state'", $_[0]) }

make_log('postgres');
$etl->sql("INSERT INTO log (lid, price, dt) SELECT i % 300, i % 97, '2020-01-01'::date + i % 50 FROM generate_series(1, 3000) i");

# Eight writers of what pgbench makes up; a statement that fails with 40001 is one that was told to try again. Transactions
# of several statements write listings of their own, as those of any table have to who want no deadlocks.
my $script = $node->basedir . '/writer.sql';
open my $out, '>', $script or die;
print $out <<'SQL';
\set lid random(0, 320)
\set price random(0, 400)
\set day random(0, 60)
\set what random(1, 12)
\if :what <= 3
INSERT INTO log (lid, price, dt) SELECT (:lid + i) % 320, :price / 4.0, '2020-01-01'::date + :day FROM generate_series(1, 20) i;
\elif :what = 4
INSERT INTO log (lid, price, dt) SELECT (:lid - i + 320) % 320, :price, '2020-01-01'::date + :day FROM generate_series(1, 20) i;
\elif :what = 5
UPDATE log SET price = price + 1, dt = dt - 1 WHERE lid = :lid;
\elif :what = 6
DELETE FROM log WHERE lid = :lid;
\elif :what = 7
DELETE FROM log WHERE id IN (SELECT id FROM log WHERE lid = :lid ORDER BY price DESC LIMIT 1);
\elif :what = 8
BEGIN;
INSERT INTO log (lid, price, dt) VALUES (:lid, 10000, '2030-01-01');
ROLLBACK;
\elif :what = 9
BEGIN;
INSERT INTO log (lid, price, dt) VALUES (400 + :client_id, :price, '2020-01-01'::date + :day);
SAVEPOINT s;
DELETE FROM log WHERE lid = 400 + :client_id;
ROLLBACK TO s;
UPDATE log SET price = price / 2 WHERE lid = 400 + :client_id AND price > 100;
COMMIT;
\elif :what = 10
BEGIN;
DELETE FROM log WHERE lid = :lid AND price > 50;
PREPARE TRANSACTION 'p:client_id';
COMMIT PREPARED 'p:client_id';
\elif :what = 11
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO log (lid, price, dt) VALUES (:lid, :price, '2020-01-01'::date + :day);
COMMIT;
\else
BEGIN ISOLATION LEVEL SERIALIZABLE;
UPDATE log SET lid = 320 - lid WHERE lid = :lid;
COMMIT;
\endif
SQL
close $out;
# pgbench puts variables into quoted strings in no mode, so each client has its own name for prepared transactions.
my @pids;
for my $client (1 .. 8)
{
	my $own = "$script.$client";
	open my $in, '<', $script or die;
	local $/;
	my $text = <$in>;
	$text =~ s/:client_id/$client/g;
	open my $copy, '>', $own or die;
	print $copy $text;
	close $copy;
	my $pid = fork;
	die unless defined $pid;
	if ($pid == 0)
	{
		open STDOUT, '>', "$own.out";
		open STDERR, '>', "$own.err";
		no warnings 'exec';
		exec 'pgbench', '-n', '-T', $seconds, '--max-tries=100', '-f', $own, '-d', $node->connstr('postgres');
		POSIX::_exit(127);
	}
	push @pids, $pid;
}
sleep 2;
$etl->sql(q{SELECT etl_watch_prices('p')});
my $folds = 0;
my $until = time + $seconds - 4;
while (time < $until)
{
	my $run = $etl->sql(q{SELECT DISTINCT run_id FROM etl_fold_prices('p', 2)});
	ok($etl->wait_for_run($run, 'done'), 'a fold under writers');
	is(state_of('postgres'), 'current', 'current after it');
	$folds++;
	if ($folds % 3 == 0)
	{
		# What is written meanwhile goes unseen; the next fold makes up for it.
		$etl->sql(q{SELECT etl_unwatch_prices('p')});
		select undef, undef, undef, 0.2;
		$etl->sql(q{SELECT etl_watch_prices('p')});
	}
	select undef, undef, undef, 1;
}
waitpid $_, 0 for @pids;
$etl->sql("ROLLBACK PREPARED '$_'") for split /\n/, $etl->sql('SELECT gid FROM pg_prepared_xacts');
my ($run) = $etl->sql(q{SELECT DISTINCT run_id FROM etl_fold_prices('p')});
$etl->wait_for_run($run, 'done');
is(state_of('postgres'), 'current', 'current at the end');
is($etl->sql('SELECT count(*) FROM different'), 0, 'price state equals the log, all columns, both ways');
cmp_ok($etl->sql('SELECT count(*) FROM kept'), '>', 100, 'there is something to compare');
is($etl->sql(q{SELECT count(*) FROM etl_check_prices('p')}), 0, 'etl_check_prices finds nothing');
my ($done, $failed) = (0, '');
for my $client (1 .. 8)
{
	open my $in, '<', "$script.$client.out" or die;
	while (<$in>) { $done += $1 if /transactions actually processed: (\d+)/ }
	open $in, '<', "$script.$client.err" or die;
	while (<$in>) { $failed .= $_ if /error|deadlock|aborted/i }
}
cmp_ok($done, '>', 100, "writers wrote: $done transactions");
is($failed, '', 'no writer had another error than 40001');
my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile);
is(scalar(() = $log =~ /client backend.*ERROR:  deadlock detected/g), 0, 'no deadlock');

# Writers killed in mid-statement: what they wrote is gone, from the log and the price state alike.
for (1 .. 3)
{
	my $pid = fork;
	if ($pid == 0)
	{
		open STDERR, '>', '/dev/null';
		no warnings 'exec';
		exec 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-c',
		  "INSERT INTO log (lid, price, dt) SELECT i % 5000, i, '2020-01-01' FROM generate_series(1, 3000000) i";
		POSIX::_exit(127);
	}
	select undef, undef, undef, 0.3 + rand;
	my ($code, $backend) = $etl->try_sql(q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'INSERT INTO log%' AND backend_type = 'client backend' AND pid <> pg_backend_pid()});
	kill 'KILL', $backend if $backend;
	waitpid $pid, 0;
	select undef, undef, undef, 0.5;
	for (1 .. 600)
	{
		last if system('pg_isready', '-q', '-d', $node->connstr('postgres')) == 0;
		select undef, undef, undef, 0.1;
	}
	is($etl->sql('SELECT count(*) FROM different'), 0, 'equal after a writer was killed');
}

# Logical replication: its apply fires row triggers alone.
$etl->sql('CREATE DATABASE source');
$etl->sql('CREATE TABLE log (id bigint PRIMARY KEY, lid bigint, price numeric, dt date); ALTER TABLE log REPLICA IDENTITY FULL; CREATE PUBLICATION pub FOR TABLE log;'
	  . "INSERT INTO log VALUES (1, 1, 5, '2020-01-01')", 'source');
$etl->sql("SELECT pg_create_logical_replication_slot('sub', 'pgoutput')", 'source');
$etl->sql('CREATE DATABASE target');
$etl->sql('CREATE EXTENSION pg_etl', 'target');
make_log('target');
$etl->sql('ALTER TABLE log ALTER id DROP IDENTITY', 'target');
$etl->sql(q{SELECT etl_watch_prices('p')}, 'target');
my $fold = $etl->sql(q{SELECT DISTINCT run_id FROM etl_fold_prices('p')}, 'target');
$node->poll_query_until('target', "SELECT state = 'done' FROM etl_runs WHERE run_id = $fold");
is(state_of('target'), 'current', 'watched before there is a subscription');
my $connection = $node->connstr('source');
$connection =~ s/'/''/g;
$etl->sql("CREATE SUBSCRIPTION sub CONNECTION '$connection' PUBLICATION pub WITH (create_slot = false, slot_name = 'sub')", 'target');
is(state_of('target'), 'stale', 'a subscription that no row trigger sees makes the price state stale');
$etl->sql(q{SELECT etl_watch_prices('p')}, 'target');
$fold = $etl->sql(q{SELECT DISTINCT run_id FROM etl_fold_prices('p')}, 'target');
$node->poll_query_until('target', "SELECT state = 'done' FROM etl_runs WHERE run_id = $fold");
is(state_of('target'), 'current', 'watched with the row trigger');
$node->poll_query_until('target', "SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate <> 'r'");
$etl->sql("INSERT INTO log SELECT i, i % 7, i, '2020-01-01'::date + i FROM generate_series(10, 60) i; UPDATE log SET price = price * 2 WHERE lid < 3;"
	  . 'DELETE FROM log WHERE lid = 4; DELETE FROM log WHERE id = 60', 'source');
my $expected = $etl->sql('SELECT count(*), sum(price) FROM log', 'source');
$node->poll_query_until('target', 'SELECT count(*), sum(price) FROM log', $expected);
is($etl->sql('SELECT count(*) FROM different', 'target'), 0, 'what logical replication applied is in the price state');
is($etl->sql('SELECT count(*) > 3 FROM kept', 'target'), 't', 'and there is something');
$etl->sql('ALTER SUBSCRIPTION sub DISABLE; ALTER SUBSCRIPTION sub SET (slot_name = NONE); DROP SUBSCRIPTION sub', 'target');
$node->stop;
done_testing();
