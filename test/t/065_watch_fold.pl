# Folds of a watched log: who gives way in a deadlock, a worker that is killed, several workers and runs beside writers.
use strict;
use warnings;
use PgEtl;
use Test::More;

my $etl = PgEtl->new('watch_fold', sources => 0, conf => "deadlock_timeout = 6s\netl.fold_memory = '256kB'\n");
my $node = $etl->node;
$etl->sql(<<'SQL');
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE mapping (lid bigint PRIMARY KEY, make text, modified timestamptz);
CREATE TABLE log (lid bigint, price numeric, dt date);
CREATE INDEX ON log (lid);
CREATE VIEW folded AS
SELECT lid, (array_agg(price ORDER BY dt, price, scale(price)))[1]::text AS first_price, min(dt) AS first_dt,
       (array_agg(price ORDER BY dt DESC, price DESC, scale(price) DESC))[1]::text AS last_price, max(dt) AS last_dt,
       (array_agg(price ORDER BY price, scale(price)))[1]::text AS price_min,
       (array_agg(price ORDER BY price DESC, scale(price) DESC))[1]::text AS price_max
FROM log GROUP BY lid;
SELECT etl_add_portal('p', 'listing', 'listing', 'listing', 'log');
CREATE VIEW kept AS SELECT lid, first_price::text, first_dt, last_price::text, last_dt, price_min::text, price_max::text FROM price_state_p;
CREATE VIEW different AS (TABLE folded EXCEPT ALL TABLE kept) UNION ALL (TABLE kept EXCEPT ALL TABLE folded);
SELECT etl_watch_prices('p');
INSERT INTO log SELECT i % 3000, i % 97, '2020-01-01'::date + i % 50 FROM generate_series(0, 30000) i;
TRUNCATE price_state_p;
SQL

sub fold { return $etl->sql("SELECT DISTINCT run_id FROM etl_fold_prices('p', workers => $_[0])") }

sub is_equal
{
	my ($run, $name) = @_;
	ok($etl->wait_for_run($run, 'done'), "$name: done");
	is($etl->sql('SELECT count(*) FROM different'), 0, "$name: equal");
	is($etl->sql(q{SELECT state FROM etl_health WHERE subject = 'price state'}), 'current', "$name: current");
	return;
}

# A session that has written to these listings, and has not ended its transaction.
sub writer
{
	my $session = $node->background_psql('postgres');
	$session->query_safe('BEGIN');
	$session->query_safe("INSERT INTO log VALUES ($_, 500, '2019-01-01')") for @_;
	return $session;
}

my $worker_waits = q{SELECT count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
	WHERE NOT l.granted AND a.backend_type = 'pg_etl worker'};
my $client_waits = q{SELECT count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
	WHERE NOT l.granted AND a.backend_type = 'client backend'};

# The chunk waits for the second writer, who waits for the first row of the chunk: it sees that at once.
my ($first, $second) = (writer(20), writer(30));
my $run = fold(1);
ok($etl->wait_until($worker_waits), 'a chunk waits for a writer');
$second->query_until(qr/begun/, "\\echo begun\nINSERT INTO log VALUES (10, 500, '2019-01-01');\n");
ok($etl->wait_until($client_waits), 'another writer waits for the chunk');
$first->query_safe('COMMIT');
$second->query_safe('COMMIT');
$_->quit for $first, $second;
is_equal($run, 'a deadlock that the chunk closes');
is($etl->sql("SELECT count(*) > 0 FROM etl_events WHERE run_id = $run AND why LIKE '%deadlock%'"), 't', 'the chunk was the victim');

# Killed while it holds rows.
$etl->sql('DELETE FROM price_state_p WHERE lid % 2 = 0; UPDATE price_state_p SET price_max = 0 WHERE lid % 7 = 0');
$first = writer(2000);
$run = fold(2);
ok($etl->wait_until($worker_waits), 'a chunk waits for a writer');
my ($victim) = $etl->sql(q{SELECT a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
	WHERE NOT l.granted AND a.backend_type = 'pg_etl worker' LIMIT 1});
kill 'KILL', $victim;
# Not by psql, which may be refused before it has read what it is to do.
select undef, undef, undef, 0.5;
for (1 .. 600)
{
	last if system('pg_isready', '-q', '-d', $node->connstr('postgres')) == 0;
	select undef, undef, undef, 0.1;
}
is(fold(2), $run, 'a second request finds the run');
is_equal($run, 'after a kill');
eval { $first->quit };

# Two runs of several workers each, while listings come and go.
$etl->sql(<<'SQL');
CREATE PROCEDURE write(seconds int) LANGUAGE plpgsql AS $$
DECLARE
    until timestamptz := clock_timestamp() + make_interval(secs => seconds);
    gone int;
BEGIN
    WHILE clock_timestamp() < until LOOP
        gone := random() * 3000;
        DELETE FROM log WHERE lid = gone;
        COMMIT;
        INSERT INTO log SELECT (random() * 3000)::int, i, '2020-01-01'::date + i FROM generate_series(1, 3) i;
        COMMIT;
    END LOOP;
END $$;
-- Row by row, as who takes rows in another order than writers do deadlocks with them.
CREATE PROCEDURE damage(rest int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 0 .. 2999 LOOP
        CONTINUE WHEN i % 3 <> rest;
        DELETE FROM price_state_p WHERE lid = i;
        COMMIT;
    END LOOP;
    UPDATE etl.portal SET state = 'stale';
END $$;
SELECT etl_set_template('plain', 'SELECT m.lid, {make}::text AS make, {portal}::text AS portal, s.last_price::text FROM {mapping} m JOIN {price_state} s ON s.lid = m.lid');
SELECT etl_add_make('m', 'mapping', 'mart', template => 'plain');
SQL
my @writers = map { my $s = $node->background_psql('postgres'); $s->query_until(qr/begun/, "\\echo begun\nCALL write(8);\n"); $s } 1 .. 3;
for (1 .. 3)
{
	$etl->sql("CALL damage($_ - 1)");
	my $seed = $etl->sql("SELECT DISTINCT run_id FROM etl_seed('m', workers => 2)");
	$run = fold(2);
	ok($etl->wait_for_run($_), "run $_ beside writers and another run") for $seed, $run;
}
$_->query_safe('SELECT 1') for @writers;
$_->quit for @writers;
is($etl->sql('SELECT count(*) FROM different'), 0, 'equal after them');
is($etl->sql(q{SELECT state FROM etl_health WHERE subject = 'price state'}), 'current', 'current after them');
is_equal(fold(2), 'a last fold');
is($etl->sql('SELECT count(*) FROM etl.price_removal'), 0, 'nothing stays queued');
my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile);
is(scalar(() = $log =~ /client backend.*ERROR:  (?:deadlock|canceling)/g), 0, 'no writer was a victim');
$node->stop;
done_testing();
