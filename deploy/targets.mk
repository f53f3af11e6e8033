# The fleet: each target is a Fabric task (deploy/fabfile.py) on the hosts of ips.txt.
# HOSTS=a,b or HOST=a narrows a target to some of them. Like YES, PRUNE, FOLLOW and SSH_TRUST_NEW they reach the task
# through the environment, where make puts what its own command line sets.
# fab would read the SSH configuration itself, and end at what it does not know; deploy/ssh asks ssh.
# It also asks for the name of the user, and one without an entry in passwd (a container's) has none: then the number.
FAB := USERNAME="$${USERNAME:-$$(id -un 2>/dev/null)}" $(VENV)/fab --search-root deploy --ssh-config /dev/null

export KIND

# Some shells (tcsh, openSUSE's bash) export HOST, this machine's name: whom a command is about, and that it need
# not ask, is for the command line alone to say.
$(foreach name,HOST HOSTS YES PRUNE,$(if $(filter command,$(origin $(name))),,$(eval unexport $(name))))

.PHONY: ping load init launch logs stop kill console collect clean upload-parts \
	remote_all init_remote map_reduce_remote ping_remote load_remote kill_remote clean_remote

ping: setup ## fleet: who answers, SSH latency, Python version
	@$(FAB) ping

load: setup ## fleet: load average, free memory and disk
	@$(FAB) load

init: setup ## fleet: install the project everywhere, start Redis on REMOTE_HOST
	@$(FAB) init

launch: setup ## fleet: start the workers that are not running (KIND="movies people tv": of each)
	@$(FAB) launch

logs: setup ## fleet: follow the workers' logs (FOLLOW=0: their last lines)
	@$(FAB) logs

stop: setup ## fleet: end workers cleanly, their leases go back to the queue
	@$(FAB) stop

kill: setup ## fleet: end workers at once
	@$(FAB) kill

console: setup ## fleet: a worker's telnet console through SSH (HOST=a)
	@$(FAB) console

collect: setup ## fleet: bring all parts home, merge, audit (PRUNE=1: remove parts that are wholly merged)
	@$(FAB) collect

upload-parts: setup ## fleet: every host uploads its own parts to the Nextcloud share
	@$(FAB) upload-parts

clean: setup ## fleet: remove REMOTE_WORKING_DIR from the hosts, after asking (YES=1: without)
	@$(FAB) clean

# The names of the original program.
remote_all: ## init, seed, launch
	@$(MAKE) --no-print-directory init
	@$(MAKE) --no-print-directory seed
	@$(MAKE) --no-print-directory launch

map_reduce_remote: ## seed, launch
	@$(MAKE) --no-print-directory seed
	@$(MAKE) --no-print-directory launch

init_remote: init
ping_remote: ping
load_remote: load
kill_remote: kill
clean_remote: clean
