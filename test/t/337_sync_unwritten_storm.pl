# Syncs of sources without indexes on `modified`, which others write, vacuum, freeze and rewrite meanwhile: what a sync leaves
# unread, because nobody has written there, must not have held anything new. SEED= chooses the changes and the server's settings.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IPC::Run;
use PgEtl;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = $ENV{ROUNDS} // 10;
my $seed = $ENV{SEED} // 20261128;
srand($seed);
note("SEED=$seed");
# Nobody knows when a prepared transaction has begun, so the overlap has to cover that.
my $prepares = $seed % 2 == 0;
my $etl = PgEtl->new('sync_unwritten_storm', sources => 0, conf => "autovacuum = off\nmax_prepared_transactions = 10\netl.chunk_target = 50ms\n"
	  . ($prepares ? "etl.sync_overlap = 10s\nwal_log_hints = on\n"
		: "etl.sync_overlap = 0\nwal_level = minimal\nmax_wal_senders = 0\nwal_skip_threshold = " . ($seed % 4 == 1 ? 0 : 10000) . "\n")
	  . ($seed % 3 == 0 ? "shared_buffers = 2MB\n" : '') . ($seed % 5 == 0 ? "synchronous_commit = off\n" : ''));
$etl->sql('CREATE SCHEMA s; CREATE TABLE s.mapping (lid bigint PRIMARY KEY, model text, country text, modified timestamptz DEFAULT now())');
my %range = (a => [ 1, 6000 ], b => [ 6001, 9000 ]);
for my $p (sort keys %range)
{
	my ($from, $to) = @{ $range{$p} };
	$etl->sql("CREATE TABLE s.list_$p (lid bigint PRIMARY KEY, acc_id bigint, title text, modified timestamptz DEFAULT now()) WITH (fillfactor = 80);
		CREATE TABLE s.cust_$p (acc_id bigint PRIMARY KEY, name text, modified timestamptz DEFAULT now());
		CREATE TABLE s.stat_$p (lid bigint PRIMARY KEY, views integer, pad text, modified timestamptz DEFAULT now()) WITH (fillfactor = 70);
		CREATE TABLE s.prices_$p (lid bigint, price numeric, dt date);
		CREATE INDEX ON s.list_$p (acc_id);
		INSERT INTO s.cust_$p SELECT g, 'c' || g FROM generate_series(1, 2000) g;
		INSERT INTO s.list_$p SELECT g, 1 + g % 2000, repeat('t', 200) || g FROM generate_series($from, $to) g;
		INSERT INTO s.stat_$p SELECT g, g, repeat('p', 100) FROM generate_series($from, $to) g;
		INSERT INTO s.prices_$p SELECT g, g, '2021-01-01' FROM generate_series($from, $to, 3) g;
		INSERT INTO s.mapping SELECT g, 'm', CASE WHEN g % 10 = 0 THEN 'AT' ELSE 'DE' END FROM generate_series($from, $to) g;
		SELECT etl_add_portal('$p', 's.list_$p', 's.cust_$p', 's.stat_$p', 's.prices_$p'); SELECT etl_watch_prices('$p')");
}
$etl->sql("SELECT etl_set_template('t', \$t\$SELECT l.lid, {portal} AS portal, l.title, c.name, s.views, m.model, ps.last_price FROM {listing} l
		JOIN {mapping} m ON m.lid = l.lid JOIN {stat} s ON s.lid = l.lid LEFT JOIN {customer} c ON c.acc_id = l.acc_id
		LEFT JOIN {price_state} ps ON ps.lid = l.lid WHERE {country} IS NULL OR m.country = {country}\$t\$);
	SELECT etl_add_make('m', 's.mapping', mart => 's.mart', template => 't', country => 'DE')");
ok($etl->wait_for_run($etl->sql("SELECT DISTINCT run_id FROM etl_seed('m')"), 'published'), 'seeded');

sub pick { return $_[ int(rand(@_)) ] }

my $next = 20000;
sub change
{
	my $p = pick(qw(a b));
	my $some = pick('lid % 53 = ' . int(rand(53)), 'lid % 500 = ' . int(rand(500)), 'lid = ' . int(rand(9000)),
		'lid BETWEEN ' . int(rand(9000)) . ' AND ' . int(rand(9000)));
	my $came = "generate_series($next, $next + 9) g";
	$next += 10;
	return pick(
		"UPDATE s.list_$p SET title = md5(random()::text), modified = now() WHERE $some",
		"UPDATE s.list_$p SET acc_id = 1 + (random() * 1990)::int, modified = now() WHERE $some",
		"UPDATE s.stat_$p SET views = (random() * 1000000)::int, modified = now() WHERE $some",
		"UPDATE s.stat_$p SET views = (random() * 1000000)::int, modified = NULL WHERE lid = " . int(rand(9000)),
		"UPDATE s.stat_$p SET modified = now() WHERE modified IS NULL",
		"UPDATE s.cust_$p SET name = md5(random()::text), modified = now() WHERE acc_id % 97 = " . int(rand(97)),
		"UPDATE s.mapping SET model = md5(random()::text), modified = now() WHERE $some",
		"UPDATE s.mapping SET country = CASE WHEN country = 'DE' THEN 'AT' ELSE 'DE' END, modified = now() WHERE $some",
		"INSERT INTO s.list_$p SELECT g, 5, 'new' FROM $came; INSERT INTO s.stat_$p SELECT g, 5 FROM $came; INSERT INTO s.mapping SELECT g, 'm', 'DE' FROM $came",
		"INSERT INTO s.prices_$p SELECT lid, random() * 1000, date '2022-01-01' + (random() * 100)::int FROM s.list_$p WHERE $some",
		"SELECT FROM s.list_$p WHERE $some FOR SHARE",
		"SELECT FROM s.stat_$p WHERE $some FOR KEY SHARE",
		"SAVEPOINT a; UPDATE s.stat_$p SET views = -1, modified = now() WHERE $some; ROLLBACK TO a",
		"SAVEPOINT b; UPDATE s.stat_$p SET views = -2, modified = now() WHERE $some; SAVEPOINT c;
		 UPDATE s.list_$p SET title = 'sub', modified = now() WHERE $some; RELEASE b");
}

my $dir = PostgreSQL::Test::Utils::tempdir();
chmod 0777, $dir;

# What leaves rows as they are, but not where they are. Copies are made under a lock, so that nothing is lost.
sub maintain
{
	my $p = pick(qw(a b));
	my $table = pick("list_$p", "stat_$p", "cust_$p", 'mapping');
	return pick(
		"VACUUM s.$table", "VACUUM s.$table", "VACUUM (FREEZE) s.$table", "VACUUM s.price_state_$p", 'CHECKPOINT', "ANALYZE s.$table",
		"VACUUM FULL s.$table", "CLUSTER s.$table USING ${table}_pkey", "SELECT count(*) FROM s.$table",
		"ALTER TABLE s.$table SET UNLOGGED; ALTER TABLE s.$table SET LOGGED",
		"BEGIN; LOCK TABLE s.$table; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE s.$table; TRUNCATE s.$table;
		 UPDATE kept SET modified = now(); INSERT INTO s.$table TABLE kept; COMMIT",
		"BEGIN; LOCK TABLE s.$table; COPY s.$table TO '$dir/copy'; TRUNCATE s.$table; COPY s.$table FROM '$dir/copy' WITH (FREEZE); COMMIT");
}

my $sessions = 0;
sub write_some
{
	my ($transactions) = @_;
	my $file = "$dir/" . ++$sessions . '.sql';
	for my $number (1 .. $transactions)
	{
		PostgreSQL::Test::Utils::append_to_file($file,
			'BEGIN; SELECT now();' . join(';', map { change() . '; SELECT pg_sleep(' . rand(0.15) . ')' } 1 .. 1 + rand(3)) . ';'
			  . pick('COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK',
				$prepares ? "PREPARE TRANSACTION 'p$sessions.$number'; SELECT pg_sleep(0.2); COMMIT PREPARED 'p$sessions.$number'" : 'COMMIT') . ";\n"
			  . (rand() < 0.3 ? maintain() . ";\n" : ''));
	}
	return IPC::Run::start([ qw(psql -X -q -d), $etl->node->connstr($etl->{database}), '-f', $file ],
		'<', '/dev/null', '>', '/dev/null', '2>', '/dev/null');
}

sub sync { return $etl->sql("SELECT DISTINCT run_id FROM etl_sync('m', workers => 3)") }

for my $round (1 .. $rounds)
{
	my @writers = map { write_some(1 + int(rand(3))) } 1 .. 1 + int(rand(3));
	sleep rand(0.1);
	$etl->wait_for_run(sync(), 'done') or fail("round $round: beside writers") for 0 .. int(rand(3));
	$_->finish for @writers;
	$etl->try_sql(maintain()) for 1 .. int(rand(3));
	$etl->try_sql(change()) if rand() < 0.5;
	$etl->wait_for_run(sync(), 'done') or fail("round $round: at rest");
	for my $p (sort keys %range)
	{
		is($etl->sql("SELECT (SELECT count(*) FROM (SELECT * FROM s.mart WHERE portal = '$p' EXCEPT ALL SELECT * FROM etl.m_$p) x),
		                     (SELECT count(*) FROM (SELECT * FROM etl.m_$p EXCEPT ALL SELECT * FROM s.mart WHERE portal = '$p') x)"),
			'0|0', "round $round: portal $p");
	}
}
isnt($etl->sql('SELECT count(position) FROM etl.partition'), '0', 'positions were noted');
$etl->node->stop;
done_testing();
