module mortise.example/bench/peers

go 1.19
