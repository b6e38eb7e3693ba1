# Writers of a watched price log and servers that are killed: what was not committed is gone from the log and the price
# state alike, and what was prepared is there when it is committed.
use strict;
use warnings;
use PgEtl::Watched;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $etl = PgEtl::Watched->new('watch_killed', conf => "max_prepared_transactions = 20\n");
my $node = $etl->node;
$etl->make_log;
ok($etl->watch_and_fold, 'watched and folded');

# A statement of some seconds, whose trigger is at work when it is killed, or the statement itself.
sub start_writer
{
	my ($statement) = @_;
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	open STDERR, '>', '/dev/null';
	no warnings 'exec';
	exec 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-c', "SET application_name = 'writer'", '-c', $statement;
	POSIX::_exit(127);
}

my $insert = "INSERT INTO log (lid, price, dt) SELECT i % 5000, i, '2020-01-01' FROM generate_series(1, 1000000) i";
for my $kill ('writer', 'writer', 'immediate stop')
{
	my $psql = start_writer($insert);
	$etl->wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'writer' AND state = 'active' AND query LIKE 'INSERT%'");
	sleep 0.2 + rand;
	my $backend = $etl->sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'writer'");
	cmp_ok($backend, '>', 0, 'the writer is at work') or next;
	if ($kill eq 'writer') { kill 'KILL', $backend }
	else { $node->stop('immediate') }
	waitpid $psql, 0;
	$node->start if $kill ne 'writer';
	sleep 0.3;
	$etl->wait_for_server;
	is($etl->sql('SELECT count(*) FROM log'), 3000, "$kill: the log is as before");
	$etl->is_equal($kill);
}

# Prepared transactions outlive the server, hold the rows of their listings, and count when they are committed.
$etl->sql(<<"SQL");
BEGIN;
INSERT INTO log (lid, price, dt) VALUES (1, 99999, '2031-01-01'), (7000, 1, '2031-01-01');
DELETE FROM log WHERE lid = 2;
PREPARE TRANSACTION 'stays';
BEGIN;
DELETE FROM log WHERE lid = 3;
INSERT INTO log (lid, price, dt) VALUES (3, 5, '2031-01-01');
PREPARE TRANSACTION 'goes';
SQL
$node->stop('immediate');
$node->start;
$etl->is_equal('before prepared transactions are committed');
my ($code, undef, $err) = $etl->try_sql("SET lock_timeout = '200ms'; INSERT INTO log (lid, price, dt) VALUES (1, 5, '2020-01-01')");
like($err, qr/lock timeout/, 'another writer of such a listing waits');
$etl->sql("COMMIT PREPARED 'stays'; ROLLBACK PREPARED 'goes'");
is($etl->sql('SELECT last_price FROM kept WHERE lid = 1'), '99999', 'committed after the crash');
is($etl->sql('SELECT count(*) FROM kept WHERE lid = 2'), 0, 'removals too');
$etl->is_equal('after prepared transactions were committed');
ok($etl->fold_prices, 'a fold goes through');
$etl->is_equal('after it');
$node->stop;
done_testing();
