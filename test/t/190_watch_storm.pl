# Eight random writers of a watched price log, with bulk folds in their midst, for a minute or SOAK_MINUTES (test/soak):
# equal at any moment, no deadlock, and no event lost. SOAK_SEED repeats what each writer does, though not how they meet.
use strict;
use warnings;
use PgEtl::Watched;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $seed = $ENV{SOAK_SEED} // int(rand(1 << 31));
my $seconds = int(60 * ($ENV{SOAK_MINUTES} // 1));
diag("storm of seed $seed, $seconds seconds");
my $etl = PgEtl::Watched->new('watch_storm', conf => "max_prepared_transactions = 20\ndeadlock_timeout = 200ms\n");
my $node = $etl->node;
$etl->make_log;

# What a writer does, and how often. A statement that fails with 40001 is tried again. Transactions of several statements
# write listings of their own, as those of any table have to who want no deadlocks.
my $values = ":price / 4.0, '2020-01-01'::date + :day";
my %deed = (
	# never removed by anybody: each commit must be in the log
	kept => [ 2, "INSERT INTO log (lid, price, dt) SELECT 1000 + (:lid + i) % 320, $values FROM generate_series(1, 5) i;" ],
	insert => [ 2, "INSERT INTO log (lid, price, dt) SELECT (:lid + i) % 320, $values FROM generate_series(1, 20) i;" ],
	reversed => [ 2, "INSERT INTO log (lid, price, dt) SELECT (:lid - i + 320) % 320, $values FROM generate_series(1, 20) i;" ],
	update => [ 1, 'UPDATE log SET price = price + 1, dt = dt - 1 WHERE lid = :lid;' ],
	delete => [ 1, 'DELETE FROM log WHERE lid = :lid;' ],
	delete_greatest => [ 1, 'DELETE FROM log WHERE id IN (SELECT id FROM log WHERE lid = :lid ORDER BY price DESC LIMIT 1);' ],
	rollback => [ 1, "BEGIN;\nINSERT INTO log (lid, price, dt) VALUES (:lid, 10000, '2030-01-01');\nROLLBACK;" ],
	savepoint => [ 1, <<"SQL" ],
BEGIN;
INSERT INTO log (lid, price, dt) VALUES (400 + :writer, $values);
SAVEPOINT s;
DELETE FROM log WHERE lid = 400 + :writer;
ROLLBACK TO s;
UPDATE log SET price = price / 2 WHERE lid = 400 + :writer AND price > 50;
COMMIT;
SQL
	prepared => [ 1, <<"SQL" ],
BEGIN;
DELETE FROM log WHERE lid = :lid AND price > 50;
PREPARE TRANSACTION 'WRITER';
\\if :price % 3 = 0
ROLLBACK PREPARED 'WRITER';
\\else
COMMIT PREPARED 'WRITER';
\\endif
SQL
	repeatable => [ 1, "BEGIN ISOLATION LEVEL REPEATABLE READ;\nINSERT INTO log (lid, price, dt) VALUES (:lid, $values);\nCOMMIT;" ],
	serializable => [ 1, "BEGIN ISOLATION LEVEL SERIALIZABLE;\nUPDATE log SET lid = 320 - lid WHERE lid = :lid;\nCOMMIT;" ]);
my $choice = "\\set lid random(0, 319)\n\\set price random(0, 400)\n\\set day random(0, 60)\n";

# pgbench puts no variables into quoted strings, so each writer has scripts of its own.
my $dir = PostgreSQL::Test::Utils::tempdir();
my @writers;
for my $writer (1 .. 8)
{
	my @scripts;
	for my $name (sort keys %deed)
	{
		my $file = "$dir/$name.$writer";
		append_to_file($file, $choice . $deed{$name}[1] =~ s/WRITER/$writer/gr . "\n");
		push @scripts, '-f', "$file\@$deed{$name}[0]";
	}
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		open STDOUT, '>', "$dir/out.$writer";
		open STDERR, '>', "$dir/err.$writer";
		no warnings 'exec';
		exec 'pgbench', '-n', '-T', $seconds, '--max-tries=1000', '--random-seed=' . ($seed + $writer), '-D', "writer=$writer",
		  @scripts, '-d', $node->connstr('postgres');
		POSIX::_exit(127);
	}
	push @writers, $pid;
}

# Folds come from the beginning on, under writers; the first makes current what is watched in mid-storm.
my $until = time + $seconds - 5;
sleep 1;
$etl->sql("SELECT etl_watch_prices('p')");
my $folds = 0;
while (time < $until)
{
	ok($etl->fold_prices(1 + $folds % 3), 'a fold under writers');
	$etl->is_equal('after it');
	sleep 1;
	$etl->is_equal('a second later');
	if (++$folds % 3 == 0)
	{
		# What is written meanwhile goes unseen; the next fold makes up for it.
		$etl->sql("SELECT etl_unwatch_prices('p')");
		sleep 0.2;
		$etl->sql("SELECT etl_watch_prices('p')");
		is($etl->state_of, 'as_of', 'a gap is said to be one');
	}
	sleep 1;
}
$etl->fold_prices;
waitpid $_, 0 for @writers;
$etl->sql("ROLLBACK PREPARED '$_'") for split /\n/, $etl->sql('SELECT gid FROM pg_prepared_xacts');
cmp_ok($folds, '>', 0, "folds: $folds");
$etl->is_equal('at the end');
is($etl->sql("SELECT count(*) FROM etl_check_prices('p')"), 0, 'etl_check_prices finds nothing');
cmp_ok($etl->sql('SELECT count(*) FROM kept WHERE lid < 1000'), '>', 100, 'there is something to compare');

my (%done, $failed);
for my $writer (1 .. 8)
{
	my $out = slurp_file("$dir/out.$writer");
	$done{$1} += $2 while $out =~ m{^SQL script \d+: .*/(\w+)\.\d+\n.*\n - (\d+) transactions}mg;
	$failed .= join "\n", grep { /error|aborted|fatal/i } split /\n/, slurp_file("$dir/err.$writer");
}
note(join ', ', map { "$_: " . ($done{$_} // 0) } sort keys %deed);
is(scalar(grep { ($done{$_} // 0) > 0 } keys %deed), scalar(keys %deed), 'every kind of writing was done');
is($failed, '', 'no writer had another error than 40001');
is($etl->sql('SELECT count(*) FROM log WHERE lid >= 1000'), 5 * ($done{kept} // 0), 'no event is lost that was committed');
my $deadlocks = () = slurp_file($node->logfile) =~ /client backend.*ERROR:  deadlock detected/g;
is($deadlocks, 0, 'no deadlock');
$node->stop;
done_testing();
