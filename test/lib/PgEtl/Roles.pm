# A PgEtl with roles: what each may do, and what it is told.
#
#   my $etl = PgEtl::Roles->new('rights', register => 0);
#   $etl->add_role('app');                              # LOGIN, and EXECUTE on the functions of pg_etl
#   is(($etl->as('app', 'SELECT etl_cancel(1)'))[0], '42704');
package PgEtl::Roles;

use strict;
use warnings;
use parent 'PgEtl';
use Test::More;

# A psql that stays.
sub session
{
	my ($self, $role) = @_;
	my @user = defined $role ? (extra_params => [ '-U', $role ]) : ();
	return $self->node->background_psql($self->{database}, on_error_stop => 0, @user);
}

sub add_role
{
	my ($self, $role, @attributes) = @_;
	$self->sql("CREATE ROLE $role LOGIN @attributes");
	$self->sql($_)
	  for split /\n/, $self->sql(<<"SQL");
SELECT format('GRANT EXECUTE ON ROUTINE %s TO $role', p.oid::regprocedure) FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'pg_etl'
WHERE p.pronamespace = 'public'::regnamespace
SQL
	return;
}

# What else a plain role needs to do all of it: to read the sources, and to create beside mart and price log.
sub let_work
{
	my ($self, $role) = @_;
	$self->sql(<<"SQL");
GRANT USAGE, CREATE ON SCHEMA raw TO $role;
GRANT USAGE ON SCHEMA mapping, analytic TO $role;
GRANT SELECT ON ALL TABLES IN SCHEMA raw TO $role;
GRANT SELECT ON ALL TABLES IN SCHEMA mapping TO $role;
SQL
	return;
}

# Runs SQL in a session of the role: (SQLSTATE or '', output, messages).
sub as
{
	my ($self, $role, $query) = @_;
	my (undef, $out, $err) =
	  $self->try_sql("\\set VERBOSITY verbose\n$query", extra_params => [ '-U', $role ], on_error_die => 0);
	my ($state) = $err =~ /(?:ERROR|FATAL):  (\w{5}):/;
	return ($state // '', $out, $err);
}

sub as_ok
{
	my ($self, $role, $query, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($state, $out, $err) = $self->as($role, $query);
	is($state, '', $name // "$role: $query") or diag($err);
	return $out;
}

# The statement fails with this SQLSTATE, and with messages that match.
sub refuses
{
	my ($self, $role, $query, $wanted, $messages, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($state, undef, $err) = $self->as($role, $query);
	$name //= "$role: $query";
	return is($state, $wanted, $name) || diag($err) if !defined $messages;
	return ok($state eq $wanted && $err =~ $messages, $name) || diag("wanted $wanted and $messages, got: $err");
}

1;
