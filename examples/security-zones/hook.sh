# What happens around a service's life, for the log. Those of the service's namespace see its interface.
echo "$1 of $ISTHMUS_SERVICE, eth0 is $(cat /sys/class/net/eth0/address 2>/dev/null || echo elsewhere)"
case $1 in
    # Where a load balancer would be told.
    post-start) mkdir -p /run/isthmus-zones && touch "/run/isthmus-zones/$ISTHMUS_SERVICE.serves" ;;
    pre-stop) rm -f "/run/isthmus-zones/$ISTHMUS_SERVICE.serves" ;;
esac
