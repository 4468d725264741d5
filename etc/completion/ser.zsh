#compdef ser
_arguments '1:task:(replay test)' '*:file:_files' \
  '*-f+[Configuration file (default /etc/ser/ser.cfg).]:FILE:_files' \
  '*-c[Check the configuration, print every diagnostic, exit 0 or 1.]' \
  '*--check[Check the configuration, print every diagnostic, exit 0 or 1.]' \
  '*-l+[Listen on \[proto\:\]host\[\:port\]\[/advertised\[\:port\]\]; host may be an interface. Repeatable.]:ADDRESS: ' \
  '*--listen=[Listen on \[proto\:\]host\[\:port\]\[/advertised\[\:port\]\]; host may be an interface. Repeatable.]:ADDRESS: ' \
  '*-p+[Port of listen addresses that name none (default 5060).]:PORT: ' \
  '*-n+[Datagram workers per UDP socket (default\: the CPUs this process may use).]:NUMBER: ' \
  '*-a+[Auto aliases\: yes, on, no or off.]:MODE: ' \
  '*--alias=[Also answer to \[proto\:\]host\[\:port\]. Repeatable.]:NAME: ' \
  '*-A+[Preprocessor definition NAME or NAME=VALUE. Repeatable.]:DEFINE: ' \
  '*--subst=[Preprocessor substitution, as #!subst.]:EXPR: ' \
  '*--substdef=[Substitution and definition, as #!substdef.]:EXPR: ' \
  '*--substdefs=[As --substdef, the definition being a quoted string.]:EXPR: ' \
  '*--loadmodule=[Load a module, as loadmodule in the configuration. Repeatable.]:NAME: ' \
  '*--modparam=[Set a module parameter\: module\:parameter\:type\:value, type s or i. Repeatable.]:M.P.T.V: ' \
  '*-L+[Where to look for modules that are not built in.]:PATH: ' \
  '*--dialect=[Read the file as ser or kamailio, whatever its first line says.]:NAME: ' \
  '*--strict[Warnings of the configuration are errors.]' \
  '*--cfg-print[Print the configuration after includes and preprocessor, and exit.]' \
  '*-D[-D\: do not fork at all; -DD\: workers, but stay in the foreground; -DDD\: daemon (default).]' \
  '*-E[Log to standard error.]' \
  '*-e[Colours in the log on standard error.]' \
  '*-d[One debug level more. Repeatable.]' \
  '*--debug=[Debug level\: 3 debug, 2 info, 1 notice, 0 warning, -1 error.]:LEVEL: ' \
  '*-P+[Write the process id of the supervisor to FILE.]:FILE:_files' \
  '*-G+[Write the process group id to FILE.]:FILE:_files' \
  '*-u+[User the workers run as.]:USER:_users' \
  '*-g+[Group the workers run as.]:GROUP:_groups' \
  '*-w+[Working directory (default /).]:DIR:_files -/' \
  '*-t+[Change the root of the workers to DIR.]:DIR:_files -/' \
  '*-Y+[Runtime directory for sockets and pipes.]:DIR:_files -/' \
  '*-m+[Limit of the shared segment (default\: 80 % of the memory this process may use).]:MEGABYTES: ' \
  '*-M+[Private memory.]:MEGABYTES: ' \
  '*-x+[Allocator of the shared memory.]:NAME: ' \
  '*-X+[Allocator of the private memory.]:NAME: ' \
  '*-b+[Largest UDP receive buffer to ask the kernel for (default 262144).]:BYTES: ' \
  '*-K[Responses must have us in their first Via (check_via).]' \
  '*-r[Use DNS to compare Via'\''s host with the source address.]' \
  '*-R[As -r, by reverse look-up.]' \
  '*-i+[FIFO for control commands (SER).]:FILE:_files' \
  '*-s+[File that SIGUSR1 writes the statistics to (SER).]:FILE:_files' \
  '*--server-id=[Value of server_id.]:NUMBER: ' \
  '*--log-engine=[Log engine.]:NAME: ' \
  '*--atexit=[Exit handlers of libraries.]:MODE: ' \
  '*-N+[TCP workers.]:NUMBER: ' \
  '*-Q+[SCTP workers.]:NUMBER: ' \
  '*-T[Disable TCP.]' \
  '*-S[Disable SCTP.]' \
  '*-W+[Poll method.]:TYPE: ' \
  '*-O+[Script optimisation level.]:LEVEL: ' \
  '*--doc=[Print the reference page of a module or of core, core-parameters, statistics ('\''list'\'' names all) and exit.]:MODULE: ' \
  '*--completion=[Print a completion script for bash, zsh or fish and exit.]:SHELL: ' \
  '*-v[Print the version and exit.]' \
  '*--version[Print the version and exit.]' \
  '*-V[As -v.]' \
  '*-I[Print version, compiler and limits and exit.]' \
  '*-h[Print this help and exit.]' \
  '*--help[Print this help and exit.]' \
  '*--filter=[Only scenarios whose name holds it; with * or ?, whose name it matches as a whole.]:PATTERN: ' \
  '*--list[List the scenarios and do not run them.]' \
  '*--verbose[The diagram of messages and the log of passed scenarios, too.]' \
  '*--seed=[Seed of everything random, instead of the file'\''s (default 1).]:NUMBER: ' \
  '*--coverage=[Print which script lines ran and which did not; with FILE, write them there in lcov'\''s format.]:FILE:_files' \
  '*--junit=[Write the results as JUnit XML.]:FILE:_files'
