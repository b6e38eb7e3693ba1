# A PgEtl::Faults with one portal, all of it one chunk, which can be held when more than 4 MB of its rows are in the table,
# in either way to write; pages have checksums.
#
#   my $etl = PgEtl::LargeChunk->new('pages_killed', 'pages');
#   my $run = $etl->hold_half('some name');        # one test: part of the chunk is in the table
#   $etl->strike($_) for $etl->faults;             # each in mid-chunk
package PgEtl::LargeChunk;

use strict;
use warnings;
use parent -norequire, 'PgEtl::Faults';
use PgEtl::Faults;
use Test::More;

my @chunk = (workers => 1, chunk_rows => 1000000);

# Rows have 1.9 KB, and the gate bars the last of them.
sub new
{
	my ($class, $name, $mode, %option) = @_;
	my $self = $class->SUPER::new($name, rows => 5000, portals => ['mobile'], events => 1,
		initdb => ['--data-checksums'], %option);
	$self->{mode} = $mode;
	$self->sql(<<"SQL");
CREATE EXTENSION pageinspect;
CREATE SEQUENCE public.passed;
CREATE OR REPLACE FUNCTION public.load_gate(lid bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS \$\$
DECLARE n bigint := nextval('public.passed');
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(3) WHERE n = 2;
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(1) WHERE n > 2400;
    RETURN true;
END \$\$;
UPDATE raw.full_auto_mobile SET title = left(rpad(title, 900, md5(lid::text)), 900);
DROP TABLE legacy.ads_volkswagen;
ALTER DATABASE $self->{database} SET etl.write_mode = '$mode';
SQL
	$self->legacy;
	return $self;
}

# The table that is being filled.
sub staging
{
	my $self = shift;
	return $self->sql("SELECT c.oid::regclass FROM pg_class c
	                   WHERE c.relname ~ '^ads_volkswagen_mobile_r[0-9]+\$' AND c.relkind = 'r'");
}

# A run that is held by whoever has advisory lock 3 at the first row, then by the gate.
sub hold_start
{
	my $self = shift;
	$self->sql("SELECT setval('public.passed', 1)");
	return $self->hold('load', @chunk);
}

sub hold_half
{
	my ($self, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $run = $self->hold_start;
	my $staging = $self->staging;
	cmp_ok($self->sql("SELECT pg_relation_size('$staging')"), '>=', 4 << 20, "$name: part of the chunk is in the table");
	return $run;
}

sub go_on
{
	my ($self, $run, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$self->release;
	is($self->seed(@chunk), $run, "$name: a second request finds the run") if $self->state($run) ne 'published';
	return;
}

# Breaks a run in mid-chunk and lets it come to its end. What it left in the table is dead, and does no harm.
sub strike
{
	my ($self, $fault) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $name = "$self->{mode}, $fault";
	my $run = $self->hold_half($name);
	my %flying = $self->in_flight($run);
	# Some crashes come after a checkpoint, so that recovery does not begin before the chunk.
	$self->sql('CHECKPOINT') if $fault =~ /kill/;
	$self->break($fault, $run);
	$self->wait_until("SELECT count(*) > 0 FROM etl_tasks WHERE run_id = $run AND sqlstate = '57014'")
	  if $fault eq 'cancel a worker';
	if (my $staging = $self->staging)
	{
		is($self->sql("SELECT count(*) FROM $staging"), 0, "$name: nobody sees a row of it");
	}
	$self->go_on($run, $name);
	$self->is_whole($run, $name, %flying);
	$self->is_sound($name);
	return;
}

1;
